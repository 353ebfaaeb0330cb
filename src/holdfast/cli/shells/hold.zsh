#compdef hold holdfast
# zsh completion for hold, made by `hold completion zsh`

_hold_table() {
    case "$1" in
# TABLE
    esac
}

# Offers what one kind of word can be.
_hold_offer() {
    local part line
    local -a found remarks
    for part in ${(s:|:)${1%+}}; do
        case "$part" in
        @sessions | @all-sessions)
            for line in ${(f)"$(_call_program sessions "${(q)words[1]}" completion ${part#@} 2>/dev/null)"}; do
                found+=("${line%%$'\t'*}")
                remarks+=("${line%%$'\t'*}  ${line#*$'\t'}")
            done
            ((${#found})) && compadd -l -d remarks -a found
            ;;
        @directories) _files -/ ;;
        @program) _command_names -e; _files ;;
        @nothing | '') ;;
        *) compadd -- ${(s:,:)part} ;;
        esac
    done
}

_hold() {
    local command='' offered='' options='' valued='' slots='' word pair kind=''
    local -i at=2 plain=0
    _hold_table ''
    if ((CURRENT > 2)); then
        command=${words[2]} offered='' at=3
        _hold_table "$command"
        if [[ -n $offered && $command != help ]] && ((CURRENT > 3)); then
            command="$command ${words[3]}" offered='' at=4
            _hold_table "$command"
        fi
    fi
    if [[ -n $offered ]]; then
        compadd -- ${=offered}
        return
    fi
    # What is before the word: options, what they take, and words that are no option.
    for ((; at < CURRENT; at++)); do
        word=${words[at]}
        if [[ -n $kind ]]; then
            kind=''
        elif [[ $word == -- ]]; then
            options=''
            [[ $slots == *@program+ ]] && plain=9
        elif [[ $word == -* && -n $options ]]; then
            for pair in ${=valued}; do [[ ${pair%%=*} == "$word" ]] && kind=${pair#*=}; done
        else
            plain+=1
        fi
    done
    if [[ -n $kind ]]; then
        _hold_offer "$kind"
        return
    fi
    if [[ $PREFIX == -* && -n $options && ! ($slots == *@program+ && $plain -gt 0) ]]; then
        compadd -- ${=options}
        return
    fi
    local -a kinds=(${=slots})
    if ((plain < ${#kinds})); then
        _hold_offer "${kinds[plain + 1]}"
    elif [[ $slots == *+ ]]; then
        _hold_offer "${kinds[-1]}"
    fi
}

if ! ((${+functions[compdef]})); then
    autoload -Uz compinit
    compinit
fi
compdef _hold hold holdfast
