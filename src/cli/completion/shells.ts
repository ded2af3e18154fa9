/**
 * THE TABLE of shells, and what each is to source. Each script asks `sluice __complete WORD…`, whose last word is the
 * one that is being typed, and gets a candidate and its description a line, with a tab between; or `:files` alone.
 */
export const shells = {
  // Bash takes an address for several words, as it splits them at ":" and "=": so the line itself is split at blanks,
  // and of a candidate goes what stands before the last such character already.
  bash: `# bash completion of sluice
_sluice() {
  local line=\${COMP_LINE:0:COMP_POINT} words current kept='' candidate
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  [[ $COMP_WORDBREAKS == *:* && $current == *[:=]* ]] && kept=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    if [[ $candidate == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("\${candidate#"$kept"}")
    fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _sluice sluice
`,
  zsh: `#compdef sluice
_sluice() {
  local line
  local -a lines items
  lines=("\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    items+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe sluice items
}
if [[ $funcstack[1] == _sluice ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
`,
  fish: `# fish completion of sluice
function __sluice_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = ':files'
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines
    end
end
complete -c sluice -f -a '(__sluice_complete)'
`,
} as const;
