// Package report tells people what a plan says: as text for terminals and logs,
// and as one HTML page.
//
// New turns a planner.Plan into a Report: everything that is told, in words and
// in order. Text and HTML only lay it out, so that they cannot tell different
// stories. They differ in how much they leave out, and say what they left out.
//
// Names in a plan come from files of unknown makers. A Report has none of the
// characters that steer a terminal, begin a line, or change the direction of
// text. The page is escaped by html/template, refers to nothing outside of
// itself, and forbids the browser to load anything.
package report
