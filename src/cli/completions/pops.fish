
# PoP names, if the next word is a PoP.
function __fish_meridian_pops
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    $program pop-names -- $words 2>/dev/null
end
complete -c meridian -n "__fish_meridian_pops | string length -q" -f -a "(__fish_meridian_pops)"
