package plugin_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/protobuf/proto"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// stray takes its lane up by itself, and does with it what no SDK does.
type stray struct{ *hostile }

func serveStray() {
	s := stray{&hostile{Server: sdk.NewServer(hostilePlugin("stray"), nil, nil), dial: sdk.HostConnection()}}
	accept := sdk.LaneConnection()
	go func() {
		conn, err := accept()
		if err == nil {
			err = errors.Join(s.serve(conn), conn.Close())
		}
		slog.Info("the lane is over", "why", err)
	}()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: sdk.Handshake(), Plugins: goplugin.PluginSet{sdk.WireName: &hostileWire{id: "stray", made: s.hostile}}, GRPCServer: goplugin.DefaultGRPCServer,
	})
}

func (s stray) serve(conn net.Conn) error {
	for {
		length := make([]byte, 4)
		if _, err := io.ReadFull(conn, length); err != nil {
			return err
		}
		raw := make([]byte, binary.BigEndian.Uint32(length))
		if _, err := io.ReadFull(conn, raw); err != nil {
			return err
		}
		asked := &pluginpb.Frame{}
		if err := proto.Unmarshal(raw, asked); err != nil {
			return err
		}
		if asked.GetCancel() {
			continue
		}
		answer, answers, err := proto.Message(nil), []uint64{asked.GetId()}, error(nil)
		switch asked.GetMethod() {
		case pluginpb.Plugin_Describe_FullMethodName:
			answer, err = s.Describe(context.Background(), nil)
		case pluginpb.Plugin_Configure_FullMethodName:
			answer, err = s.Configure(context.Background(), nil)
		default:
			rows := &pluginpb.RowsRequest{}
			if err := proto.Unmarshal(asked.GetMessage(), rows); err != nil {
				return err
			}
			switch rows.GetSearch() {
			case "another's":
				answers = []uint64{asked.GetId() + 1_000_000}
			case "twice":
				answers = append(answers, answers...)
			case "nothing":
				continue
			case "the end":
				return nil
			}
			answer, err = s.Rows(context.Background(), rows)
		}
		if err != nil {
			return err
		}
		message, err := proto.Marshal(answer)
		if err != nil {
			return err
		}
		for _, id := range answers {
			if raw, err = proto.Marshal(&pluginpb.Frame{Id: id, Message: message}); err != nil {
				return err
			}
			if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)); err != nil {
				return err
			}
		}
	}
}

func TestAPluginThatLiesOnItsLaneIsStartedAnew(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "stray").run(t).ready(t)
	ask := func(search string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := h.Rows(ctx, ada, "stray", "computed", plugin.TableQuery{Search: search, Limit: 20})
		return err
	}
	pid := h.Status()[0].PID
	for end := time.Now().Add(10 * time.Second); ; { // the lane is taken up while the first calls go without it
		if err := ask("nothing"); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("calls do not go by the lane")
		}
	}
	if err := ask("nothing"); fault.From(err).Kind != fault.Unavailable {
		t.Errorf("no answer: %v", err)
	}
	if err := ask(""); err != nil || h.Status()[0].PID != pid {
		t.Errorf("a call that was not answered costs the next one, %v", err)
	}
	for _, lie := range []string{"another's", "twice", "giant row", "the end"} {
		t.Run(lie, func(t *testing.T) {
			pid := h.Status()[0].PID
			if err := ask(lie); lie != "twice" && fault.From(err).Kind != fault.Unavailable {
				t.Errorf("%v", err)
			}
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				s := h.Status()[0]
				if s.PID != pid && s.State == plugin.Serving {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("a minute later: %+v", h.Status())
				}
			}
			if err := ask(""); err != nil {
				t.Error(fmt.Errorf("the new process: %w", err))
			}
		})
	}
}
