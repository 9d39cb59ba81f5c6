package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// wireFile is the only proto of the plugin wire, relative to manifest/protobuf.
const wireFile = "minifleet/plugin/v1/plugin.proto"

// module is cut off the front of generated paths.
const module = "minifleet"

// compile reads wireFile under the folder dir and runs both Go generators.
// The answer maps paths relative to the module's root to their content.
func compile(ctx context.Context, dir string) (map[string][]byte, error) {
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{dir}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, wireFile)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", wireFile, err)
	}
	out := map[string][]byte{}
	for tool, parameter := range map[string]string{
		"protoc-gen-go":      "module=" + module,
		"protoc-gen-go-grpc": "module=" + module + ",require_unimplemented_servers=true",
	} {
		if err := run(ctx, tool, parameter, files, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// run sends one CodeGeneratorRequest to a generator pinned in go.mod.
func run(ctx context.Context, tool, parameter string, files linker.Files, out map[string][]byte) error {
	request := &pluginpb.CodeGeneratorRequest{Parameter: proto.String(parameter)}
	for _, file := range files {
		request.FileToGenerate = append(request.FileToGenerate, file.Path())
		described := protoutil.ProtoFromFileDescriptor(file)
		request.ProtoFile = append(request.ProtoFile, described)
		request.SourceFileDescriptors = append(request.SourceFileDescriptors, proto.Clone(described).(*descriptorpb.FileDescriptorProto))
	}
	input, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request of %s: %w", tool, err)
	}
	command := exec.CommandContext(ctx, "go", "tool", tool)
	command.Stdin = bytes.NewReader(input)
	var answer, complaint bytes.Buffer
	command.Stdout, command.Stderr = &answer, &complaint
	if err := command.Run(); err != nil {
		return fmt.Errorf("run %s: %w: %s", tool, err, strings.TrimSpace(complaint.String()))
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(answer.Bytes(), &response); err != nil {
		return fmt.Errorf("decode answer of %s: %w", tool, err)
	}
	if response.Error != nil {
		return fmt.Errorf("%s: %s", tool, response.GetError())
	}
	for _, file := range response.GetFile() {
		out[path.Clean(file.GetName())] = []byte(file.GetContent())
	}
	return nil
}
