import type { Completion, Offer, Offers } from "./CompletionScript.ts"

const label = (text: string): string => (text === "" ? '""' : `"${text}"`)

/** A word with its meaning for _describe, which separates them by a colon. */
const item = ([word, meaning]: Offer): string =>
  `'${(meaning === "" ? word : `${word.replaceAll(":", "\\:")}:${meaning}`).replaceAll("'", `'\\''`)}'`

const list = (offers: ReadonlyArray<Offer>): string => `offers=(${offers.map(item).join(" ")})`

/** One line of shell that offers words. */
const offer = (offers: Offers | "values"): string => {
  switch (offers) {
    case "projects":
      return "_autopilotd_projects"
    case "folders":
      return "_files -/; return"
    case "files":
      return "_files; return"
    case "values":
      return '_autopilotd_values "$key"'
    default:
      return list(offers)
  }
}

/** The completion script of zsh. */
export const zshScript = ({ commands, settings, values, words }: Completion): string => {
  const known = [...words.map(([before]) => before), ...commands.flatMap(({ labels }) => labels)]
  return `#compdef autopilotd
# zsh completion of autopilotd. Write it once: autopilotd completions zsh > FOLDER_OF_FPATH/_autopilotd
_autopilotd_projects() {
  offers=("\${AUTOPILOT_HOME:-$HOME/.autopilot}"/state/*.json(N:t:r))
}
_autopilotd_values() {
  case $1 in
${settings.map(([key, all]) => `    ${key}) offers=(${all.join(" ")}) ;;`).join("\n")}
  esac
}
_autopilotd() {
  local command="" key="" option="" count=0 i word
  local -a offers options
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then
      option=""
      continue
    fi
    case $word in
      --)
        _files
        return ;;
      ${values.flatMap(([names]) => names).join("|")}) option=$word ;;
      -*) ;;
      *)
        case "\${command:+$command }$word" in
          ${known
            .filter((name) => name !== "")
            .map(label)
            .join("|")}) command="\${command:+$command }$word" ;;
          *)
            ((++count))
            if ((count == 1)); then key=$word; fi ;;
        esac ;;
    esac
  done
  case $option in
    "") ;;
${values.map(([names, offers]) => `    ${names.join("|")}) ${offer(offers)} ;;`).join("\n")}
  esac
  if [[ -z $option ]]; then
    case $command in
${words.map(([before, offers]) => `      ${label(before)}) ${offer(offers)} ;;`).join("\n")}
${commands
  .map(({ args, isOpen, labels, options }) => {
    const places = args.map(
      (place, at) => `${at === args.length - 1 && isOpen ? "*" : at}) ${offer(place)} ;;`
    )
    return `      ${labels.map(label).join("|")})
        options=(${options.map(item).join(" ")})
        case $count in
          ${[...places, ...(isOpen ? [] : ["*) ;;"])].join("\n          ")}
        esac ;;`
  })
  .join("\n")}
    esac
    if [[ -z $command ]]; then options=(--help --version); fi
    if [[ $words[CURRENT] == -* ]]; then offers=($options); fi
  fi
  (($#offers)) && _describe -t words word offers
}
if [[ $funcstack[1] == _autopilotd ]]; then
  _autopilotd "$@"
else
  compdef _autopilotd autopilotd
fi
`
}
