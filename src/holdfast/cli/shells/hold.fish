# fish completion for hold, made by `hold completion fish`

# Whether the words before the cursor are exactly these, behind `hold`.
function __hold_is
    set -l words (commandline -opc)
    test "$words[2..]" = "$argv"
end

# Whether they begin with these.
function __hold_in
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end

complete -c hold -f
complete -c hold -n __hold_is -l help -l version
# TABLE
complete -c holdfast -w hold
