package planner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// What became of a rule.
const (
	PolicySatisfied = "satisfied"
	PolicyViolated  = "violated"
	// PolicyUnknown is for rules that only the build decides. Apply holds them
	// before anything is published.
	PolicyUnknown = "known after apply"
)

// A PolicyOutcome says what became of one rule of a site's policy.
type PolicyOutcome struct {
	Rule    lang.Rule `json:"rule"` // the name of its attribute or block
	Outcome string    `json:"outcome"`
	// Detail says what violates the rule, or why that is not known.
	Detail string `json:"detail,omitempty"`
}

// CheckPolicy holds a plan against the policies of its sites. It notes the
// outcomes in the plan, and returns every violation as an error at the place of
// the rule, and what may become one after the build as a warning. Sites with the
// same rule and the same violation share a diagnostic. It reads nothing but its
// arguments; signatures are the answers to SignatureQueries.
func CheckPolicy(cfg *lang.Config, p *Plan, signatures Signatures) hcl.Diagnostics {
	c := &policyCheck{plan: p, signatures: signatures, images: make(map[string]*Image)}
	for _, i := range p.Images {
		c.images[i.Address] = &i.Image
	}
	for _, s := range p.Sites {
		if from := langSite(cfg, s.Name); from != nil {
			c.site(s, &from.Patch.Policy)
		}
	}
	return c.diagnostics()
}

type policyCheck struct {
	plan       *Plan
	signatures Signatures
	images     map[string]*Image
	findings   []*finding
}

// A finding is what is wrong at sites with the same rule.
type finding struct {
	at       hcl.Range
	severity hcl.DiagnosticSeverity
	detail   string
	sites    []string
}

func (c *policyCheck) site(s *SitePlan, p *lang.Policy) {
	s.Policy = nil
	if p.CleanTree {
		c.note(s, p, lang.RuleCleanTree, c.cleanTree())
	}
	if p.MaxSize > 0 {
		c.maxSize(s, p)
	}
	if p.KeepImages {
		c.note(s, p, lang.RuleRemovedImages, removedImages(s))
	}
	if p.AllowedRegistries != nil {
		c.note(s, p, lang.RuleAllowedRegistries, c.registries(s, p))
	}
	if len(p.SignatureKeys) > 0 {
		c.note(s, p, lang.RuleRequiredSignatures, c.signed(s, p))
	}
}

// note records a rule that is known to be held or violated; violation is empty
// where it is held.
func (c *policyCheck) note(s *SitePlan, p *lang.Policy, r lang.Rule, violation string) {
	outcome := PolicySatisfied
	if violation != "" {
		outcome = PolicyViolated
		c.find(s, p.RangeOf(r), hcl.DiagError, violation)
	}
	s.Policy = append(s.Policy, PolicyOutcome{Rule: r, Outcome: outcome, Detail: violation})
}

func (c *policyCheck) find(s *SitePlan, at hcl.Range, severity hcl.DiagnosticSeverity, detail string) {
	i := slices.IndexFunc(c.findings, func(f *finding) bool {
		return f.at == at && f.severity == severity && f.detail == detail
	})
	if i < 0 {
		c.findings = append(c.findings, &finding{at: at, severity: severity, detail: detail})
		i = len(c.findings) - 1
	}
	c.findings[i].sites = append(c.findings[i].sites, s.Name)
}

// cleanTree takes a tree that git cannot tell about for no clean one: what a
// release is made of would be known to nobody.
func (c *policyCheck) cleanTree() string {
	switch project := c.plan.Project; {
	case project.Revision == "":
		return "The policy demands a clean work tree, and the project folder is in no work tree of git that has a commit, " +
			"or the program git is not there. Commit the project, install git, or remove clean_tree."
	case !project.Dirty:
		return ""
	}
	return "The policy demands a clean work tree, and files of the project folder are changed or new. " +
		"Commit them, have git ignore them, or remove clean_tree."
}

// maxSize compares the size as far as it is known: an estimate cannot violate.
func (c *policyCheck) maxSize(s *SitePlan, p *lang.Policy) {
	over := s.Change != ChangeNone && s.Size.Patch > p.MaxSize
	switch {
	case s.Change == ChangeNone || s.Size.Exact && !over:
		c.note(s, p, lang.RuleMaxSize, "")
	case s.Size.Exact:
		c.note(s, p, lang.RuleMaxSize, TooLarge(s.Size.Patch, p.MaxSize))
	default:
		o := PolicyOutcome{Rule: lang.RuleMaxSize, Outcome: PolicyUnknown, Detail: "the size is known after the build"}
		if over {
			o.Detail = fmt.Sprintf("the patch is estimated at %d bytes, and %d are allowed", s.Size.Patch, p.MaxSize)
			c.find(s, p.RangeOf(lang.RuleMaxSize), hcl.DiagWarning, capitalize(o.Detail)+". The build decides; plan -build tells it beforehand.")
		}
		s.Policy = append(s.Policy, o)
	}
}

// TooLarge says that a patch file is larger than its policy allows, both in
// bytes.
func TooLarge(size, most int64) string {
	return fmt.Sprintf("The patch has %d bytes, and the policy allows %d. Make its images smaller, name a newer parent, or raise max_size.", size, most)
}

func removedImages(s *SitePlan) string {
	var names []string
	for _, c := range s.Images {
		if c.Change == ChangeRemove {
			names = append(names, fmt.Sprintf("%q", c.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("Images that the site has are not required any more: %s. Give them back to a container, or remove allow_removed_images.", strings.Join(names, ", "))
}

func (c *policyCheck) registries(s *SitePlan, p *lang.Policy) string {
	var bad []string
	for _, f := range foreignOf(c.images, &s.Site) {
		if name, ok := repository(f.ref); ok && !p.RegistryAllowed(name) {
			bad = append(bad, fmt.Sprintf("  %s, for %s", name, f.user))
		}
	}
	return listed("These images are in no registry that the policy allows:", bad,
		"Take them from an allowed one, or add their registry to allowed_registries.")
}

func (c *policyCheck) signed(s *SitePlan, p *lang.Policy) string {
	var bad []string
	for _, f := range foreignOf(c.images, &s.Site) {
		err, asked := c.signatures[signatureQuery(p, f)]
		if !asked {
			err = errors.New("its signatures were not looked at")
		}
		if err != nil {
			bad = append(bad, fmt.Sprintf("  %s, for %s: %v", f.ref, f.user, err))
		}
	}
	return listed("The policy demands signatures, and these images have none that holds:", bad,
		"Sign them with one of the keys, or take images that are signed.")
}

// listed joins lines, each once, between two sentences; empty without lines.
func listed(before string, lines []string, after string) string {
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return before + "\n" + strings.Join(slices.Compact(lines), "\n") + "\n" + after
}

func (c *policyCheck) diagnostics() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range c.findings {
		summary := "Policy violated"
		if f.severity == hcl.DiagWarning {
			summary = "Policy may be violated"
		}
		d := problem(f.at, summary, sitesText(f.sites)+": "+f.detail)
		d.Severity = f.severity
		diags = append(diags, d)
	}
	return diags
}

// sitesText names sites, not too many.
func sitesText(sites []string) string {
	const most = 5
	var names []string
	for _, s := range sites[:min(len(sites), most)] {
		names = append(names, fmt.Sprintf("%q", s))
	}
	text := strings.Join(names, ", ")
	switch more := len(sites) - most; {
	case len(sites) == 1:
		return "Site " + text
	case more > 0:
		return fmt.Sprintf("Sites %s and %d more", text, more)
	}
	return "Sites " + text
}

// SizeViolation is the diagnostic of a patch that turned out larger than the
// policy of its site allows, both in bytes.
func SizeViolation(cfg *lang.Config, site string, size, most int64) *hcl.Diagnostic {
	var at hcl.Range
	if from := langSite(cfg, site); from != nil {
		at = from.Patch.Policy.RangeOf(lang.RuleMaxSize)
	}
	return problem(at, "Policy violated", sitesText([]string{site})+": "+TooLarge(size, most))
}
