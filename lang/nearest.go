package lang

// DidYouMean offers the known name that is nearest to a misspelt one, as a
// sentence with a space in front. It is empty where none is near.
func DidYouMean(given string, known []string) string { return didYouMean(given, known) }
