package plugin

import "fmt"

// State is what an operator reads about a plugin.
type State string

// The states of a plugin. Only one that serves, also while its successor starts, is called.
const (
	Stopped   State = "stopped"
	Starting  State = "starting"
	Serving   State = "serving"
	Upgrading State = "upgrading" // the old process serves while the new one starts
	Backoff   State = "backoff"
	Broken    State = "broken"  // gave up for a while: every try failed
	Probing   State = "probing" // one try after the rest of a broken one
	Stopping  State = "stopping"
)

// Title is the word for the state on screens.
func (s State) Title() string {
	switch s {
	case Starting:
		return "启动中"
	case Serving:
		return "运行中"
	case Upgrading:
		return "切换中"
	case Backoff:
		return "等待重启"
	case Broken:
		return "已熔断"
	case Probing:
		return "试启动"
	case Stopping:
		return "停止中"
	default:
		return "已停止"
	}
}

// States are all of them, in the order of a life.
func States() []State {
	return []State{Starting, Serving, Upgrading, Backoff, Broken, Probing, Stopping, Stopped}
}

// called reports whether calls are let through to the process.
func (s State) called() bool { return s == Serving || s == Upgrading }

// cue is what moves a plugin from one state to the next.
type cue string

const (
	cueStart   cue = "start"   // begin, or begin again after the wait
	cueUp      cue = "up"      // the process described and configured itself
	cueFailed  cue = "failed"  // it did not get that far
	cueExited  cue = "exited"  // it was there and is gone
	cueTired   cue = "tired"   // one failure too many in a row
	cueUpgrade cue = "upgrade" // start a successor beside it
	cueRefused cue = "refused" // the successor was no good
	cueStop    cue = "stop"
	cueEnded   cue = "ended"
)

// move is one row of the table of a plugin's life: what is not in it does not happen.
type move struct {
	from State
	on   cue
	to   State
	note string // for the history, when the cue brings none of its own
}

// moves is that table.
func moves() []move {
	return []move{
		{Stopped, cueStart, Starting, "启动"},
		{Starting, cueUp, Serving, ""},
		{Starting, cueFailed, Backoff, ""},
		{Serving, cueExited, Backoff, "进程已退出"},
		{Serving, cueUpgrade, Upgrading, "新进程启动中，旧进程继续服务"},
		{Upgrading, cueUp, Serving, ""},
		{Upgrading, cueRefused, Serving, ""},
		{Backoff, cueStart, Starting, "重新启动"},
		{Backoff, cueTired, Broken, ""},
		{Broken, cueStart, Probing, "试着启动一次"},
		{Probing, cueUp, Serving, ""},
		{Probing, cueFailed, Broken, ""},
		{Starting, cueStop, Stopping, "平台正在停止"},
		{Serving, cueStop, Stopping, "平台正在停止"},
		{Upgrading, cueStop, Stopping, "平台正在停止"},
		{Backoff, cueStop, Stopping, "平台正在停止"},
		{Broken, cueStop, Stopping, "平台正在停止"},
		{Probing, cueStop, Stopping, "平台正在停止"},
		{Stopping, cueEnded, Stopped, ""},
	}
}

// next finds the row for a cue.
func next(from State, on cue) (move, error) {
	for _, m := range moves() {
		if m.from == from && m.on == on {
			return m, nil
		}
	}
	return move{}, fmt.Errorf("a plugin that is %s does not know %q", from, on)
}
