package zdeflate

import "fmt"

// A Config says which program's bytes are wanted.
type Config struct {
	Level    int // 1 to 9
	MemLevel int // 1 to 9; zlib's default is 8. It decides the hash and the size of blocks
	GNU      bool
}

// effort is how long the match finder tries, by level.
type effort struct {
	good  int // with a match of this length, search a quarter of the chain
	lazy  int // with a match of this length, do not look for a better one; for fast levels: the longest that is inserted
	nice  int // a match of this length ends the search
	chain int // candidates that are looked at
}

func effortOf(level int) effort {
	return [10]effort{
		{},
		{4, 4, 8, 4},
		{4, 5, 16, 8},
		{4, 6, 32, 32},
		{4, 4, 16, 16},
		{8, 16, 32, 32},
		{8, 16, 128, 128},
		{8, 32, 128, 256},
		{32, 128, 258, 1024},
		{32, 258, 258, 4096},
	}[level]
}

// lastFast is the highest level without lazy matching.
const lastFast = 3

// gnuSymbols is the size of GNU gzip's buffer of symbols: two times that of
// zlib at its default.
const gnuSymbols = 1 << 15

func (c Config) check() error {
	if c.Level < 1 || c.Level > 9 || c.MemLevel < 1 || c.MemLevel > 9 {
		return fmt.Errorf("cannot deflate at level %d and memory level %d: both are 1 to 9", c.Level, c.MemLevel)
	}
	return nil
}

// symbols is the number of symbols that end a block.
func (c Config) symbols() int {
	if c.GNU {
		return gnuSymbols - 1
	}
	return 1<<(c.MemLevel+6) - 1
}

func (c Config) hashBits() int {
	if c.GNU {
		return 15
	}
	return c.MemLevel + 7
}
