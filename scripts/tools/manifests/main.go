// Command manifests builds a kustomization as kubectl would and decodes every
// object strictly against the Kubernetes API types, without a cluster: an
// unknown or misspelt field, a wrong type or a duplicate is an error.
//
// Usage: manifests DIR
package main

import (
	"errors"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: manifests DIR")
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), args[0])
	if err != nil {
		return err
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var wrong []error
	for _, r := range built.Resources() {
		doc, err := r.AsYAML()
		if err != nil {
			return err
		}
		if _, _, err := decoder.Decode(doc, nil, nil); err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", r.GetKind(), r.GetName(), err))
		}
	}
	if len(wrong) == 0 {
		fmt.Printf("%d objects are well-formed\n", built.Size())
	}
	return errors.Join(wrong...)
}
