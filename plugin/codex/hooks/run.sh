#!/bin/sh
# The shell part of every hook. It leaves early, without a Node start, where nothing here concerns us; else it hands the
# payload to hook.js. The host lets a call pass when a hook fails, so a completion is refused here when hook.js cannot.
event=$1
changed=
payload=
state="${XDG_STATE_HOME:-$HOME/.local/state}/proofgate"

# Programs only from where the agent cannot write: a host that was started with npx has the repository's own
# node_modules/.bin first on PATH, and whatever lies there would answer for the gate.
PROOFGATE_PATH=$PATH
rest=$PATH:
own=
while [ -n "$rest" ]; do
  entry=${rest%%:*}
  rest=${rest#*:}
  case $entry/ in
    "$PWD"/* | /tmp/* | /private/tmp/* | /var/tmp/* | "${TMPDIR:-/tmp}"/*) ;;
    /*) own=${own:+$own:}$entry ;;
  esac
done
PATH=$own
export PATH PROOFGATE_PATH

# A plan, or gates of the repository, in this folder or above it?
here=$PWD
while :; do
  if [ -e "$here/.omo/ulw-loop" ] || [ -e "$here/.omx/goals/performance" ] || [ -e "$here/.proofgate.yaml" ]; then break; fi
  case $here in '' | /) here= && break ;; esac
  here=${here%/*}
done

# Shell commands and patches come often and may be long: only one that changed a ledger, or names our files, is of interest.
case $event in
  post-shell)
    [ -n "$here" ] || exit 0
    payload=$(LC_ALL=C grep -o -m1 '"session_id": *"[^"]*"')
    ;;
  pre-patch) payload=$(LC_ALL=C grep -i -e '[.]om[ox]' -e '/proofgate/[abghln]') || exit 0 ;;
  *-goal)
    # Goal tools say little; reading it here saves a process.
    while IFS= read -r line || [ -n "$line" ]; do payload=$payload$line; done
    ;;
  *) payload=$(cat) ;;
esac
session=${payload#*\"session_id\":}
session=${session#*\"}
session=${session%%\"*}
case $session in '' | *[!0-9A-Za-z-]*) session=unknown ;; esac

case $event in
  pre-patch) ;;
  # A reviewer's verdict, and what any of them cost.
  subagent-stop) [ -n "$here" ] || case $payload in *codex-ultrawork-reviewer*) ;; *) exit 0 ;; esac ;;
  stop) [ -n "$here" ] || [ -e "$state/bindings/$session.json" ] || exit 0 ;;
  prompt)
    # Everywhere else the words alone decide, and few prompts have them.
    if [ -z "$here" ]; then
      case $payload in *[Uu][Ll][Ww]* | *performance-goal* | *'proofgate approve'*) ;;
        # Other words end an order.
        *) [ -e "$state/intents/$session.json" ] || exit 0 ;;
      esac
    fi
    ;;
  start)
    # A gate was here in this session: what `status` calls armed.
    mkdir -p "$state/seen" 2>/dev/null && : >"$state/seen/$session"
    [ -n "$here" ] || exit 0
    ;;
  post-shell)
    seen=$state/seen/$session
    for ledger in "$here"/.omo/ulw-loop/ledger.jsonl "$here"/.omo/ulw-loop/*/ledger.jsonl \
      "$here"/.omx/goals/performance/*/ledger.jsonl; do
      [ -e "$ledger" ] || continue
      if [ ! -e "$seen" ] || [ "$ledger" -nt "$seen" ]; then changed=1 && break; fi
    done
    [ -n "$changed" ] || exit 0
    payload="{\"session_id\":\"$session\",\"cwd\":\"$(printf %s "$PWD" | sed 's/[\\"]/\\&/g')\"}"
    ;;
  *)
    # A plan that the session worked on, or gates that it began with, bind it also where they are gone; and a goal that
    # names a plan is looked at whether the plan is here or not.
    known=
    [ ! -e "$state/hosts/$session.json" ] || known=$(cat "$state/hosts/$session.json")
    case $payload$known in
      *'Complete every goal of the plan in'* | *'Reach the performance goal in'*) ;;
      *)
        if [ -z "$here" ] && [ ! -e "$state/bindings/$session.json" ] && [ ! -e "$state/gates/$session.json" ] &&
          [ ! -e "$state/intents/$session.json" ]; then
          exit 0
        fi
        ;;
    esac
    ;;
esac

refuse() {
  case $event$payload in
    pre-goal*'"complete"'*)
      printf '%s' '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"Not complete: the gate could not be run ('"$1"').\nRun: proofgate doctor, then update_goal again.\nCannot be done? update_goal blocked, and say why."}}'
      ;;
  esac
  exit 0
}

root=${PLUGIN_ROOT:-${0%/hooks/*}}
# The host runs the agent's commands in a login shell, and hooks in a plain one: an editor that started the host may have
# given it no more than the system's own PATH.
login() { "${SHELL:-/bin/sh}" -lc "$1" </dev/null 2>/dev/null | tail -n 1; }
node=$(command -v node || command -v bun || login 'command -v node || command -v bun')
[ -x "$node" ] || refuse 'no node on PATH'
case $event$payload in *-goal*'"complete"'*) PROOFGATE_LOGIN_PATH=$(login 'printf "\n%s" "$PATH"') ;; esac
export PROOFGATE_LOGIN_PATH
[ "$event" != stop ] || PROOFGATE_HOST_ARGS=$(ps -o args= -p "$PPID" 2>/dev/null)
export PROOFGATE_HOST_ARGS
# Options of the user's own programs are none of the gate's; the checks that it runs get them back.
export PROOFGATE_NODE_OPTIONS="$NODE_OPTIONS" PROOFGATE_BUN_OPTIONS="$BUN_OPTIONS"
unset NODE_OPTIONS BUN_OPTIONS
answer=$(printf '%s' "$payload" | "$node" "$root/hook/hook.js" "$event" 2>/dev/null) || refuse 'it ended early'
case $answer in
  # Silence is no consent: a program that ended without a word has not judged.
  nothing) ;;
  '{'*'}') printf '%s' "$answer" ;;
  *) refuse 'its answer was cut short' ;;
esac
