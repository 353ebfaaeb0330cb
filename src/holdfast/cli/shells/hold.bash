# bash completion for hold, made by `hold completion bash`

_hold_table() {
    case "$1" in
# TABLE
    esac
}

# Adds what one kind of word can be to COMPREPLY.
_hold_offer() {
    local part word rest
    local -a parts
    IFS='|' read -ra parts <<<"${1%+}"
    for part in "${parts[@]}"; do
        case "$part" in
        @sessions | @all-sessions)
            while IFS=$'\t' read -r word rest; do
                [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
            done < <("${COMP_WORDS[0]}" completion "${part#@}" 2>/dev/null)
            ;;
        @directories) while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$cur") ;;
        @program)
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -c -- "$cur")
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
            ;;
        @nothing | '') ;;
        *) for word in ${part//,/ }; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done ;;
        esac
    done
}

_hold() {
    local IFS=$' \t\n'
    local cur=${COMP_WORDS[COMP_CWORD]} command='' offered='' options='' valued='' slots=''
    local at=1 plain=0 word pair kind=''
    COMPREPLY=()
    _hold_table ''
    if ((COMP_CWORD > 1)); then
        command=${COMP_WORDS[1]} offered='' at=2
        _hold_table "$command"
        if [[ -n $offered && $command != help ]] && ((COMP_CWORD > 2)); then
            command="$command ${COMP_WORDS[2]}" offered='' at=3
            _hold_table "$command"
        fi
    fi
    if [[ -n $offered ]]; then
        for word in $offered; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
        return
    fi
    # What is before the word: options, what they take, and words that are no option.
    for ((; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ -n $kind ]]; then
            kind=''
        elif [[ $word == -- ]]; then
            options=''
            [[ $slots == *@program+ ]] && plain=9
        elif [[ $word == -* && -n $options ]]; then
            for pair in $valued; do [[ ${pair%%=*} == "$word" ]] && kind=${pair#*=}; done
        else
            ((plain++))
        fi
    done
    if [[ -n $kind ]]; then
        _hold_offer "$kind"
        return
    fi
    if [[ $cur == -* && -n $options && ! ($slots == *@program+ && $plain -gt 0) ]]; then
        for word in $options; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
        return
    fi
    local -a kinds
    read -ra kinds <<<"$slots"
    if ((plain < ${#kinds[@]})); then
        _hold_offer "${kinds[plain]}"
    elif [[ $slots == *+ ]]; then
        _hold_offer "${kinds[${#kinds[@]} - 1]}"
    fi
}

complete -F _hold hold holdfast
