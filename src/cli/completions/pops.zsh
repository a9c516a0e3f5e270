
# PoP names, if the next word is a PoP.
_meridian_pops() {
    local -a names
    [[ ${words[CURRENT]} != -* ]] || return 1
    names=(${(f)"$(${(Q)words[1]} pop-names -- ${(Q)words[2,CURRENT-1]} 2>/dev/null)"})
    (( $#names )) || return 1
    compadd -a names
}
