import type { Completion, Offer, Offers } from "./CompletionScript.ts"
import { hostNames, shellCases } from "./ShellCases.ts"

/** A word with its meaning for _describe, which separates them by a colon. */
const item = ([word, meaning]: Offer): string =>
  `'${(meaning === "" ? word : `${word.replaceAll(":", "\\:")}:${meaning}`).replaceAll("'", `'\\''`)}'`

const list = (offers: ReadonlyArray<Offer>): string => `offers=(${offers.map(item).join(" ")})`

/** One line of shell that offers words. */
const offer = (offers: Offers | "values"): string => {
  switch (offers) {
    case "projects":
      return "_autopilotd_projects"
    case "hosts":
      return "_autopilotd_hosts"
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
export const zshScript = (completion: Completion): string => {
  const cases = shellCases(completion, { offer, options: (own) => `options=(${own.map(item).join(" ")})` })
  return `#compdef autopilotd
# zsh completion of autopilotd. Write it once: autopilotd completions zsh > FOLDER_OF_FPATH/_autopilotd
_autopilotd_projects() {
  offers=("\${AUTOPILOT_HOME:-$HOME/.autopilot}"/state/*.json(N:t:r))
}
_autopilotd_hosts() {
  offers=(\${(f)"$(${hostNames('"${AUTOPILOT_HOME:-$HOME/.autopilot}/hosts.toml"')})"})
}
_autopilotd_values() {
  case $1 in
${completion.settings.map(([key, all]) => `    ${key}) offers=(${all.join(" ")}) ;;`).join("\n")}
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
      ${cases.valued}) option=$word ;;
      -*) ;;
      *)
        case "\${command:+$command }$word" in
          ${cases.known}) command="\${command:+$command }$word" ;;
          *)
            ((++count))
            if ((count == 1)); then key=$word; fi ;;
        esac ;;
    esac
  done
  case $option in
    "") ;;
${cases.ofOptions}
  esac
  if [[ -z $option ]]; then
    case $command in
${cases.ofWords}
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
