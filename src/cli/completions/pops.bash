
# PoP names, if the next word is a PoP.
_meridian_pops() {
    local word="${COMP_WORDS[COMP_CWORD]}" names name
    [[ $word != -* ]] || return 1
    names=$("$1" pop-names -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null) || return 1
    [[ -n $names ]] || return 1
    # Not by `compgen -W`, because it would expand the name.
    COMPREPLY=()
    while IFS= read -r name; do
        [[ $name == "$word"* ]] && COMPREPLY+=("$name")
    done <<<"$names"
    true
}
