import type { Completion, Offers } from "./CompletionScript.ts"
import { hostNames, shellCases } from "./ShellCases.ts"

/** One line of shell that offers words. */
const offer = (offers: Offers | "values"): string => {
  switch (offers) {
    case "projects":
      return "offers=$(_autopilotd_projects)"
    case "hosts":
      return "offers=$(_autopilotd_hosts)"
    case "folders":
      return "_autopilotd_paths -d; return"
    case "files":
      return "_autopilotd_paths -f; return"
    case "values":
      return 'offers=$(_autopilotd_values "$key")'
    default:
      return `offers="${offers.map(([word]) => word).join(" ")}"`
  }
}

/** The completion script of bash. */
export const bashScript = (completion: Completion): string => {
  const cases = shellCases(completion, {
    offer,
    options: (own) => `options="${own.map(([name]) => name).join(" ")}"`
  })
  return `# bash completion of autopilotd. Write it once: autopilotd completions bash > FILE
_autopilotd_projects() {
  local file
  for file in "\${AUTOPILOT_HOME:-$HOME/.autopilot}"/state/*.json; do
    [[ -e $file ]] || continue
    file=\${file##*/}
    printf '%s\\n' "\${file%.json}"
  done
}
_autopilotd_hosts() {
  ${hostNames('"${AUTOPILOT_HOME:-$HOME/.autopilot}/hosts.toml"')}
}
_autopilotd_values() {
  case $1 in
${completion.settings.map(([key, all]) => `    ${key}) echo "${all.join(" ")}" ;;`).join("\n")}
  esac
}
_autopilotd_paths() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$cur"))
}
_autopilotd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command="" key="" option="" count=0 offers="" options="" i word
  COMPREPLY=()
  [[ $cur == "=" ]] && cur=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == "=" ]] && continue
    if [[ -n $option ]]; then
      option=""
      continue
    fi
    case $word in
      --)
        _autopilotd_paths -f
        return ;;
      ${cases.valued}) option=$word ;;
      -*) ;;
      *)
        case "\${command:+$command }$word" in
          ${cases.known}) command="\${command:+$command }$word" ;;
          *)
            ((count++))
            [[ $count == 1 ]] && key=$word ;;
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
    [[ $command == "" ]] && options="--help --version"
    [[ $cur == -* ]] && offers=$options
  fi
  COMPREPLY=($(compgen -W "$offers" -- "$cur"))
}
complete -F _autopilotd autopilotd
`
}
