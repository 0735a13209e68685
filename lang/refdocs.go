package lang

// A Reference is what an expression may refer to, besides the names that blocks
// declare.
type Reference struct {
	Name string // such as "path.root"; names in capitals stand for a label
	Root bool   // known in root definition files and their templates, else in configuration files
	Doc  string
}

// references are all that there are. Tests compare them with what the resolver
// knows.
var references = []Reference{
	{Name: "var.NAME", Doc: "Value of a variable."},
	{Name: "local.NAME", Doc: "Value of a local value."},
	{Name: "image_set.SET", Doc: "An image set: an object with `name`, `address` and `image`, the map of its images."},
	{Name: "image_set.SET.image.NAME", Doc: "An image: an object with `name`, `set` and `address`. Under `for_each`, an object of all instances by their keys."},
	{Name: "root_definition.NAME", Doc: "A root definition: an object with `name` and `address`."},
	{Name: "envelope.NAME", Doc: "An envelope: an object with `name` and `address`. Under `for_each`, an object of all instances by their keys."},
	{Name: "module.NAME.OUTPUT", Doc: "Output of a module. Under `for_each` the key stands before the output: `module.NAME[\"KEY\"].OUTPUT`."},
	{Name: "each.key", Doc: "Key of the element of `for_each`, within the block."},
	{Name: "each.value", Doc: "Value of the element of `for_each`, within the block; of a set the same as `each.key`."},
	{Name: "site.name", Doc: "Name of the site, within its own block."},
	{Name: "path.root", Doc: "The project folder, relative to the folder of the file: `.` outside of modules."},
	{Name: "path.module", Doc: "The folder of the file: `.`."},
	{Name: "git.describe", Doc: "What `git describe --tags --always --dirty` says of the work tree; an error where there is none."},
	{Name: "git.commit", Doc: "Hash of the work tree's commit; an error where there is none."},
	{Name: "git.timestamp", Doc: "Committer date of the work tree's commit, as RFC 3339; an error where there is none."},
	{Name: "git.dirty", Doc: "Whether the work tree has uncommitted changes; an error where there is none."},

	{Name: "site.name", Root: true, Doc: "Name of the site."},
	{Name: "site.vars.NAME", Root: true, Doc: "An element of the site's attribute `vars`."},
	{Name: "var.NAME", Root: true, Doc: "Value of a variable of the file."},
	{Name: "images.NAME", Root: true, Doc: "Id of an image, `sha256:…`; of those that containers of the site name."},
	{Name: "patch.id", Root: true, Doc: "Id of the patch that the manifest goes with."},
	{Name: "patch.version", Root: true, Doc: "Version of the patch."},
	{Name: "patch.revision", Root: true, Doc: "Revision of the project that the patch was made from."},
	{Name: "patch.parent", Root: true, Doc: "Id of the patch that it goes on top of; null in an initial patch."},
}
