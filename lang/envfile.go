package lang

import (
	"fmt"
	"regexp"
	"strings"
)

// maxEnvFile is the size of an env file in bytes.
const maxEnvFile = 64 << 10

var envLine = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=(.*)$`)

// parseEnvFile reads the assignments of an env file, one a line: NAME=VALUE, the
// value plain, in single quotes, or in double quotes with the escapes \n, \r,
// \t, \", \\ and \$. Variables in it are those of vars, not of other lines: a
// file cannot grow by expansion.
func parseEnvFile(src string, vars map[string]string) (map[string]any, error) {
	out := make(map[string]any)
	for n, line := range strings.Split(strings.TrimPrefix(src, "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := envLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d is no assignment NAME=VALUE", n+1)
		}
		value, err := envValue(strings.TrimSpace(m[2]), vars)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		out[m[1]] = value
	}
	return out, nil
}

var envEscapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\\`, `\`, `\$`, "$$")

func envValue(text string, vars map[string]string) (string, error) {
	if strings.Count(text, "$") > maxTextVariables {
		return "", fmt.Errorf("a value may hold %d variables", maxTextVariables)
	}
	if text == "" || text[0] != '\'' && text[0] != '"' {
		if i := strings.Index(text, " #"); i >= 0 {
			text = strings.TrimSpace(text[:i])
		}
		return substitute(text, vars)
	}
	quote := text[0]
	end := closingQuote(text)
	if end < 0 {
		return "", fmt.Errorf("the value has no closing %c on its line", quote)
	}
	if rest := strings.TrimSpace(text[end+1:]); rest != "" && rest[0] != '#' {
		return "", fmt.Errorf("text stands behind the closing %c", quote)
	}
	if quote == '\'' {
		return text[1:end], nil
	}
	return substitute(envEscapes.Replace(text[1:end]), vars)
}

// closingQuote is the position of the quote that ends the text's first one, or
// negative.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] == text[0]:
			return i
		}
	}
	return -1
}
