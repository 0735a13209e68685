package lang

// A functionDoc is what a function does not tell of itself.
type functionDoc struct {
	group  string
	result string // type
	doc    string // a sentence in Markdown
}

// Groups of functions.
const (
	numberGroup     = "numbers"
	textGroup       = "text"
	collectionGroup = "collections"
	encodingGroup   = "encodings and digests"
	fileGroup       = "files of the project"
	versionGroup    = "versions"
	errorGroup      = "errors and secrets"
)

const semverResult = "object({ version = string, major = number, minor = number, patch = number, prerelease = string, build = string })"

// functionDocs has an entry for every function of the language.
var functionDocs = map[string]functionDoc{
	"abs":      {numberGroup, "number", "The number without its sign."},
	"ceil":     {numberGroup, "number", "The next whole number that is not less."},
	"floor":    {numberGroup, "number", "The next whole number that is not greater."},
	"log":      {numberGroup, "number", "Logarithm of a number to a base."},
	"max":      {numberGroup, "number", "The greatest of the numbers."},
	"min":      {numberGroup, "number", "The least of the numbers."},
	"parseint": {numberGroup, "number", "Reads a whole number that is written in a base from 2 to 62."},
	"pow":      {numberGroup, "number", "A number raised to a power."},
	"signum":   {numberGroup, "number", "-1, 0 or 1: the sign of the number."},
	"sum":      {numberGroup, "number", "Sum of the numbers of a list or set."},
	"tonumber": {numberGroup, "number", "Converts a value to a number."},

	"basename":    {textGroup, "string", "Last part of a path."},
	"chomp":       {textGroup, "string", "The string without line breaks at its end."},
	"dirname":     {textGroup, "string", "The path without its last part."},
	"endswith":    {textGroup, "bool", "Whether a string ends with another."},
	"format":      {textGroup, "string", "Fills values into a format such as `\"%s-%03d\"`."},
	"formatdate":  {textGroup, "string", "Writes an RFC 3339 time in a format such as `\"YYYY-MM-DD\"`."},
	"formatlist":  {textGroup, "list(string)", "As `format`, once for each element of the lists."},
	"indent":      {textGroup, "string", "Puts spaces before all lines but the first."},
	"join":        {textGroup, "string", "The elements of lists, with a separator between them."},
	"lower":       {textGroup, "string", "The string in small letters."},
	"regex":       {textGroup, "any", "What a regular expression matches: a string, or its groups as a list or an object. An error where nothing matches."},
	"regexall":    {textGroup, "list(any)", "As `regex`, for all matches."},
	"replace":     {textGroup, "string", "Replaces all that equals a string, or matches a regular expression between slashes."},
	"split":       {textGroup, "list(string)", "Cuts a string at a separator."},
	"startswith":  {textGroup, "bool", "Whether a string begins with another."},
	"strcontains": {textGroup, "bool", "Whether a string holds another."},
	"strrev":      {textGroup, "string", "The characters in reverse order."},
	"substr":      {textGroup, "string", "A part of a string, by position and length in characters. A negative position counts from the end; the length -1 means up to the end."},
	"timeadd":     {textGroup, "string", "Adds a duration such as `\"1h30m\"` to an RFC 3339 time."},
	"title":       {textGroup, "string", "The string with a capital at the beginning of each word."},
	"tobool":      {textGroup, "bool", "Converts a value to a boolean."},
	"tostring":    {textGroup, "string", "Converts a value to a string."},
	"trim":        {textGroup, "string", "Removes the given characters from both ends."},
	"trimprefix":  {textGroup, "string", "Removes a prefix, where there is one."},
	"trimspace":   {textGroup, "string", "Removes white space from both ends."},
	"trimsuffix":  {textGroup, "string", "Removes a suffix, where there is one."},
	"upper":       {textGroup, "string", "The string in capitals."},

	"alltrue":         {collectionGroup, "bool", "Whether all elements are true; null counts as false."},
	"anytrue":         {collectionGroup, "bool", "Whether an element is true; null counts as false."},
	"chunklist":       {collectionGroup, "list(list(any))", "Cuts a list into lists of a size."},
	"coalesce":        {collectionGroup, "any", "The first argument that is not null."},
	"coalescelist":    {collectionGroup, "list(any)", "The first list that is not empty."},
	"compact":         {collectionGroup, "list(string)", "The list without null and empty strings."},
	"concat":          {collectionGroup, "list(any)", "The elements of all lists, one list behind the other."},
	"contains":        {collectionGroup, "bool", "Whether a list or set holds a value."},
	"distinct":        {collectionGroup, "list(any)", "The list with each element once."},
	"element":         {collectionGroup, "any", "An element of a list by its position, which begins again at the end."},
	"flatten":         {collectionGroup, "list(any)", "Replaces lists within a list by their elements."},
	"index":           {collectionGroup, "number", "Position of a value in a list. An error where it is not there."},
	"keys":            {collectionGroup, "list(string)", "The keys of a map, sorted."},
	"length":          {collectionGroup, "number", "Number of elements, or of a string's characters."},
	"lookup":          {collectionGroup, "any", "Element of a map by its key, or else the default."},
	"merge":           {collectionGroup, "map(any)", "The elements of all maps; of equal keys the last counts."},
	"one":             {collectionGroup, "any", "The only element of a list or set, or null where it is empty. An error where there are more."},
	"range":           {collectionGroup, "list(number)", "Numbers from a start (default 0) up to, but without, a limit, by a step: `range(limit)`, `range(start, limit)`, `range(start, limit, step)`."},
	"reverse":         {collectionGroup, "list(any)", "The elements in reverse order."},
	"setintersection": {collectionGroup, "set(any)", "The elements that all sets hold."},
	"setproduct":      {collectionGroup, "list(any)", "All combinations of one element of each set."},
	"setsubtract":     {collectionGroup, "set(any)", "The elements of the first set that the second does not hold."},
	"setunion":        {collectionGroup, "set(any)", "The elements of all sets."},
	"slice":           {collectionGroup, "list(any)", "The elements from a position up to, but without, another."},
	"sort":            {collectionGroup, "list(string)", "The strings in lexical order."},
	"tolist":          {collectionGroup, "list(any)", "Converts a value to a list."},
	"tomap":           {collectionGroup, "map(any)", "Converts a value to a map."},
	"toset":           {collectionGroup, "set(any)", "Converts a value to a set, in which each element stands once."},
	"values":          {collectionGroup, "list(any)", "The values of a map, in the order of its keys."},
	"zipmap":          {collectionGroup, "map(any)", "Makes a map of a list of keys and a list of values."},

	"base64decode": {encodingGroup, "string", "Decodes base64 to text."},
	"base64encode": {encodingGroup, "string", "Encodes a string as base64."},
	"csvdecode":    {encodingGroup, "list(map(string))", "Reads CSV whose first line has the names."},
	"jsondecode":   {encodingGroup, "any", "Reads JSON."},
	"jsonencode":   {encodingGroup, "string", "Writes a value as JSON."},
	"md5":          {encodingGroup, "string", "MD5 of a string, in hexadecimal."},
	"sha1":         {encodingGroup, "string", "SHA-1 of a string, in hexadecimal."},
	"sha256":       {encodingGroup, "string", "SHA-256 of a string, in hexadecimal."},
	"sha512":       {encodingGroup, "string", "SHA-512 of a string, in hexadecimal."},
	"urlencode":    {encodingGroup, "string", "Escapes a string for the query of a URL."},
	"uuidv5":       {encodingGroup, "string", "UUID of a name in a namespace: `dns`, `url`, `oid`, `x500`, or a UUID."},
	"yamldecode":   {encodingGroup, "any", "Reads YAML."},
	"yamlencode":   {encodingGroup, "string", "Writes a value as YAML."},

	"file":         {fileGroup, "string", "Content of a file, which must be UTF-8."},
	"fileexists":   {fileGroup, "bool", "Whether there is a file."},
	"filebase64":   {fileGroup, "string", "Content of a file as base64."},
	"filesha256":   {fileGroup, "string", "SHA-256 of a file, in hexadecimal."},
	"fileset":      {fileGroup, "set(string)", "The files in a folder that match a pattern, relative to the folder."},
	"templatefile": {fileGroup, "any", "Renders a template with the variables given. Templates cannot call it."},

	"semver":       {versionGroup, semverResult, "Takes a semantic version apart. An error for anything else."},
	"semver_match": {versionGroup, "bool", "Whether a version satisfies a constraint such as `\"~> 3.2\"`."},

	"can":          {errorGroup, "bool", "Whether an expression can be evaluated."},
	"nonsensitive": {errorGroup, "any", "The value, no longer sensitive."},
	"sensitive":    {errorGroup, "any", "The value, which is never shown from here on."},
	"try":          {errorGroup, "any", "Value of the first expression that can be evaluated."},
}
