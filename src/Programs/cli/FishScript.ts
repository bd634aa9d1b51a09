import type { Completion, Offer, Offers } from "./CompletionScript.ts"
import { hostNames } from "./ShellCases.ts"

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`

const item = ([word, meaning]: Offer): string =>
  meaning === "" ? quote(word) : `${quote(word)}\\t${quote(meaning)}`

const list = (offers: ReadonlyArray<Offer>): string =>
  offers.length === 0 ? "true" : `printf '%s\\n' ${offers.map(item).join(" ")}`

/** One line of shell that prints words with their meanings. */
const offer = (offers: Offers | "values"): string => {
  switch (offers) {
    case "projects":
      return "__autopilotd_projects"
    case "hosts":
      return "__autopilotd_hosts"
    case "folders":
      return "__fish_complete_directories $current"
    case "files":
      return "__fish_complete_path $current"
    case "values":
      return "__autopilotd_values $key"
    default:
      return list(offers)
  }
}

/** The completion script of fish. */
export const fishScript = ({ commands, settings, values, words }: Completion): string => {
  const known = [...words.map(([before]) => before), ...commands.flatMap(({ labels }) => labels)]
  return `# fish completion of autopilotd. Write it once: autopilotd completions fish > ~/.config/fish/completions/autopilotd.fish
function __autopilotd_projects
    set -l home $AUTOPILOT_HOME
    test -n "$home"; or set home ~/.autopilot
    for file in $home/state/*.json
        string replace -r '.*/(.*)\\.json$' '$1' -- $file
    end
end
function __autopilotd_hosts
    set -l home $AUTOPILOT_HOME
    test -n "$home"; or set home ~/.autopilot
    ${hostNames("$home/hosts.toml")}
end
function __autopilotd_values
    switch $argv[1]
${settings.map(([key, all]) => `        case ${quote(key)}\n            printf '%s\\n' ${all.map(quote).join(" ")}`).join("\n")}
    end
end
function __autopilotd_offers
    set -l current (commandline -ct)
    set -l tokens (commandline -opc)
    set -l command ''
    set -l key ''
    set -l option ''
    set -l count 0
    for word in $tokens[2..-1]
        if test -n "$option"
            set option ''
            continue
        end
        switch $word
            case --
                __fish_complete_path $current
                return
            case ${values
              .flatMap(([names]) => names)
              .map(quote)
              .join(" ")}
                set option $word
            case '-*'
            case '*'
                set -l longer (string trim -- "$command $word")
                if contains -- $longer ${known
                  .filter((name) => name !== "")
                  .map(quote)
                  .join(" ")}
                    set command $longer
                else
                    set count (math $count + 1)
                    test $count -eq 1; and set key $word
                end
        end
    end
    switch "$option"
        case ''
${values.map(([names, offers]) => `        case ${names.map(quote).join(" ")}\n            ${offer(offers)}\n            return`).join("\n")}
    end
    if string match -q -- '-*' $current
        switch "$command"
            case ''
                printf '%s\\n' --help --version
${commands
  .map(
    ({ labels, options }) =>
      `            case ${labels.map(quote).join(" ")}\n                ${list(options)}`
  )
  .join("\n")}
        end
        return
    end
    switch "$command"
${words.map(([before, offers]) => `        case ${quote(before)}\n            ${offer(offers)}`).join("\n")}
${commands
  .flatMap(({ args, isOpen, labels }) => {
    if (args.length === 0) return []
    const places = args.map((place, at) => {
      const test = at === args.length - 1 && isOpen ? "true" : `test $count -eq ${at}`
      return `            ${test}; and ${offer(place)}`
    })
    return [`        case ${labels.map(quote).join(" ")}\n${places.join("\n")}`]
  })
  .join("\n")}
    end
end
complete -f -a '(__autopilotd_offers)' -c autopilotd
`
}
