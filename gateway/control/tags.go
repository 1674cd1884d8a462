package control

import (
	"net/http"
	"slices"

	"switchyard/engine"
)

func (s *server) listTags(c *call) (any, error) {
	script, err := s.Platform.Script(c.ref())
	if err != nil {
		return nil, err
	}
	return onePage(c, listed(script.Tags)), nil
}

// putTags replaces all of them; null is none.
func (s *server) putTags(c *call) (any, error) {
	var tags []string
	if err := c.readJSON(&tags); err != nil {
		return nil, err
	}
	tags, err := s.editTags(c, func([]string) ([]string, error) { return listed(tags), nil })
	if err != nil {
		return nil, err
	}
	return onePage(c, listed(tags)), nil
}

func (s *server) putTag(c *call) (any, error) {
	tag := c.param("tag")
	_, err := s.editTags(c, func(tags []string) ([]string, error) {
		if slices.Contains(tags, tag) {
			return tags, nil
		}
		return append(slices.Clone(tags), tag), nil
	})
	return noResult, err
}

func (s *server) deleteTag(c *call) (any, error) {
	tag := c.param("tag")
	_, err := s.editTags(c, func(tags []string) ([]string, error) {
		i := slices.Index(tags, tag)
		if i < 0 {
			return nil, fail(http.StatusNotFound, codeNotFound, "tag "+quote(tag)+" not found")
		}
		return slices.Delete(slices.Clone(tags), i, i+1), nil
	})
	return noResult, err
}

// editTags changes the script's tags, which makes no version.
func (s *server) editTags(c *call, change func([]string) ([]string, error)) ([]string, error) {
	script, err := s.Platform.EditScript(c.context(), c.ref(), func(settings *engine.ScriptSettings) (err error) {
		settings.Tags, err = change(settings.Tags)
		return err
	})
	return script.Tags, err
}

// changeTags replaces them, where there are others to replace them by.
func (s *server) changeTags(c *call, tags *[]string) (engine.Script, error) {
	if tags == nil {
		return s.Platform.Script(c.ref())
	}
	return s.Platform.EditScript(c.context(), c.ref(), func(settings *engine.ScriptSettings) error {
		settings.Tags = *tags
		return nil
	})
}
