package site

import "strings"

// A path means a file by its ending and the HTML handling. Each step below tries one file;
// what remains of the path without its ending is the stem:
//
//	/docs/index.html      stem /docs      itself    the path as it is
//	/docs/index                /docs      page      stem.html
//	/docs/                     /docs      index     stem/index.html
//	/docs.html                 /docs
//	/docs                      /docs      (other)
//
// A step serves its file, or redirects to the file's canonical URL: the stem, or the stem with
// a slash. It redirects only where nothing else stands at that URL, and that URL means the
// same file in turn.
type step struct {
	file form
	to   form // serve, stem or folder
}

type form uint8

const (
	serve form = iota
	itself
	page
	index
	stem
	folder
)

type ending uint8

const (
	indexFile ending = iota // "/index.html"
	indexName               // "/index"
	slash                   // "/"
	html                    // ".html"
	other
)

var endings = [...]string{indexFile: "/index.html", indexName: "/index", slash: "/", html: ".html", other: ""}

// handling is what one of the HTML handlings tries, by ending, and at last for every path. A
// path right below the root has its own steps where they differ.
type handling struct {
	steps [other][]step
	root  [other][]step // nil: steps
	last  []step        // with the whole path as stem
}

var handlings = map[string]*handling{
	AutoTrailingSlash: {
		steps: [other][]step{
			indexFile: {{index, folder}, {page, stem}},
			indexName: {{itself, serve}, {index, folder}, {page, stem}},
			slash:     {{index, serve}, {page, stem}},
			html:      {{page, stem}, {index, folder}},
		},
		last: []step{{itself, serve}, {page, serve}, {index, folder}},
	},
	ForceTrailingSlash: {
		steps: [other][]step{
			indexFile: {{index, folder}, {page, folder}},
			indexName: {{itself, serve}, {index, folder}, {page, folder}},
			slash:     {{index, serve}, {page, serve}},
			html:      {{page, folder}, {itself, serve}, {index, folder}},
		},
		last: []step{{itself, serve}, {page, folder}, {index, folder}},
	},
	DropTrailingSlash: {
		steps: [other][]step{
			indexFile: {{index, stem}, {itself, serve}, {page, stem}},
			indexName: {{itself, serve}, {page, stem}, {index, stem}},
			slash:     {{page, stem}, {index, stem}},
			html:      {{page, stem}, {index, stem}},
		},
		root: [other][]step{
			indexFile: {{index, folder}},
			indexName: {{itself, serve}, {index, folder}},
			slash:     {{index, serve}},
		},
		last: []step{{itself, serve}, {page, serve}, {index, serve}},
	},
	NoHTML: {last: []step{{itself, serve}}},
}

// Files is the set of files that a version has. A file is a number, none is -1.
type Files interface {
	Find(path string) int
	Same(a, b int) bool // in content and type
}

const none = -1

// meaning is what a path means: a file, or the path of its canonical URL. Neither: nothing.
type meaning struct {
	file     int
	status   int // of the file
	redirect string
}

func (m meaning) found() bool { return m.file != none || m.redirect != "" }

// reader looks paths up for one request.
type reader struct {
	*Config
	files    Files
	fallback bool // the not-found handling counts
}

// mean finds what a decoded path means. final lets no step redirect: it is asked of a redirect's
// destination.
func (r *reader) mean(path string, final bool) meaning {
	h := handlings[r.html]
	e := endingOf(path)
	if e != other {
		steps, s := h.steps[e], path[:len(path)-len(endings[e])]
		if s == "" && h.root[e] != nil {
			steps = h.root[e]
		}
		if m := r.try(steps, path, s, final); m.found() {
			return m
		}
	}
	if m := r.try(h.last, path, path, final); m.found() || !r.fallback {
		return m
	}
	return r.notThere(path)
}

func endingOf(path string) ending {
	for e := range other {
		if strings.HasSuffix(path, endings[e]) {
			return e
		}
	}
	return other
}

func (r *reader) try(steps []step, path, stemOf string, final bool) meaning {
	for _, st := range steps {
		if st.to != serve && final {
			continue
		}
		file := r.files.Find(place(st.file, path, stemOf))
		if file == none {
			continue
		}
		if st.to == serve {
			return meaning{file: file, status: 200}
		}
		if to := place(st.to, path, stemOf); r.canonical(to, file) {
			return meaning{file: none, redirect: to}
		}
	}
	return meaning{file: none}
}

func place(f form, path, stemOf string) string {
	switch f {
	case itself:
		return path
	case page:
		return stemOf + ".html"
	case index:
		return stemOf + "/index.html"
	case folder:
		return stemOf + "/"
	}
	return stemOf
}

// canonical reports whether a request for path would be answered with file, and not because a
// file is called just so.
func (r *reader) canonical(path string, file int) bool {
	if path == "" || r.files.Find(path) != none {
		return false
	}
	m := r.mean(path, true)
	return m.file != none && r.files.Same(m.file, file)
}

// notThere is the not-found handling.
func (r *reader) notThere(path string) meaning {
	switch r.notFound {
	case SinglePageApplication:
		return meaning{file: r.files.Find("/index.html"), status: 200}
	case NotFoundPage:
		for path != "" {
			path = path[:max(strings.LastIndexByte(path, '/'), 0)]
			if file := r.files.Find(path + "/404.html"); file != none {
				return meaning{file: file, status: 404}
			}
		}
	}
	return meaning{file: none}
}
