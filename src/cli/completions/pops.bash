
# PoP names, where the words before the cursor ask for one.
_meridian_pops() {
    local word="${COMP_WORDS[COMP_CWORD]}" names
    [[ $word != -* ]] || return 1
    names=$("$1" pop-names -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null) || return 1
    [[ -n $names ]] || return 1
    COMPREPLY=($(compgen -W "$names" -- "$word"))
}
