package config

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

const (
	tag    = "koanf"
	prefix = "TRAMA_"
	// FileVariable names the configuration file where no flag does.
	FileVariable = "TRAMA_CONFIG"
)

// others are variables of that prefix that belong to somebody else: the file's
// name, the folder of the demo's data sets, and what tests are told.
var others = map[string]bool{FileVariable: true, "TRAMA_DATA_DIR": true}

// links are the variables that container platforms set for every service they
// know, in the service's name: TRAMA_CATALOGUE_SERVICE_HOST.
var links = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?$`)

// Load returns the configuration from a file, the environment (os.Environ) and
// flags by key ("http", "auth.issuer"), validated. With an empty path the file
// is the one that TRAMA_CONFIG names, if any.
func Load(path string, environ []string, flags map[string]string) (Config, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(Default(), tag), nil); err != nil {
		return Config{}, fmt.Errorf("configuration defaults: %w", err)
	}
	if path == "" {
		path = lookup(environ, FileVariable)
	}
	if path != "" {
		if err := loadFile(k, path); err != nil {
			return Config{}, err
		}
	}
	if err := loadEnvironment(k, environ); err != nil {
		return Config{}, err
	}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		if !known(key) {
			return Config{}, fmt.Errorf("configuration: there is no key %q", key)
		}
		if err := k.Set(key, flags[key]); err != nil {
			return Config{}, fmt.Errorf("configuration key %s: %w", key, err)
		}
	}
	var c Config
	err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: tag, DecoderConfig: &mapstructure.DecoderConfig{
		Result: &c, WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), listHook, pairsHook,
		),
	}})
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return c, c.Validate()
}

func loadFile(k *koanf.Koanf, path string) error {
	f := koanf.New(".")
	if err := f.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	var unknown []string
	for _, key := range f.Keys() {
		switch {
		case f.Get(key) == nil && section(key):
			f.Delete(key) // a heading with nothing under it
		case !known(key):
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("configuration file %s: there is no key %s", path, strings.Join(unknown, ", "))
	}
	return k.Merge(f)
}

func loadEnvironment(k *koanf.Koanf, environ []string) error {
	keys := map[string]string{}
	for key := range fields() {
		keys[Variable(key)] = key
	}
	var unknown []string
	err := k.Load(env.Provider(".", env.Opt{
		Prefix:      prefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key, ok := keys[name]
			if !ok && !others[name] && !links.MatchString(name) && !strings.HasPrefix(name, prefix+"TEST_") {
				unknown = append(unknown, name)
			}
			return key, value
		},
	}), nil)
	if err != nil {
		return fmt.Errorf("configuration from the environment: %w", err)
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("configuration: there is no setting for the variable %s", strings.Join(unknown, ", "))
	}
	return nil
}

// Variable returns the environment variable of a key: TRAMA_AUTH_KEY_FILE of
// "auth.key_file".
func Variable(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// fields returns every key with its field's value in the zero Config, and is
// how the rest of the package knows what keys there are.
func fields() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		for i := range t.NumField() {
			key := path + t.Field(i).Tag.Get(tag)
			if t.Field(i).Type.Kind() == reflect.Struct {
				walk(t.Field(i).Type, key+".")
			} else {
				out[key] = t.Field(i).Type
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	return out
}

// known reports whether a key is a field's, or an entry of a map's.
func known(key string) bool {
	all := fields()
	if _, ok := all[key]; ok {
		return true
	}
	parent, _, nested := strings.Cut(key, ".")
	t, ok := all[parent]
	return nested && ok && t.Kind() == reflect.Map
}

// section reports whether there are keys under the key.
func section(key string) bool {
	for k := range fields() {
		if k == key || strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// listHook reads a list from text: items separated by commas.
func listHook(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Slice {
		return data, nil
	}
	var out []string
	for item := range strings.SplitSeq(data.(string), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out, nil
}

// pairsHook reads a map from text: name=value separated by commas.
func pairsHook(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Map {
		return data, nil
	}
	out := map[string]string{}
	for item := range strings.SplitSeq(data.(string), ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("%q is not of the form name=value", item)
		}
		out[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return out, nil
}

func lookup(environ []string, name string) string {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// String lists every key with its value, secrets and passwords redacted, one a
// line in the keys' order.
func (c Config) String() string {
	var lines []string
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			key, field := path+v.Type().Field(i).Tag.Get(tag), v.Field(i)
			if field.Kind() == reflect.Struct {
				walk(field, key+".")
				continue
			}
			lines = append(lines, key+": "+shown(key, field.Interface()))
		}
	}
	walk(reflect.ValueOf(c), "")
	return strings.Join(lines, "\n")
}

// GoString implements fmt.GoStringer, so that %#v shows no password either.
func (c Config) GoString() string { return c.String() }

// LogValue implements slog.LogValuer.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func shown(key string, value any) string {
	switch v := value.(type) {
	case string:
		if key == "database" || key == "nats" {
			urls := strings.Split(v, ",")
			for i, u := range urls {
				urls[i] = withoutPassword(u)
			}
			return strings.Join(urls, ",")
		}
		return v
	case []string:
		return strings.Join(v, ",")
	case map[string]string:
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, name+"="+v[name])
		}
		return strings.Join(pairs, ",")
	case time.Duration:
		return v.String()
	}
	return fmt.Sprint(value)
}
