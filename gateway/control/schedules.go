package control

import (
	"time"

	"switchyard/engine"
)

type scheduleJSON struct {
	Cron       string    `json:"cron"`
	CreatedOn  time.Time `json:"created_on"`
	ModifiedOn time.Time `json:"modified_on"`
}

func describeSchedule(c engine.Cron) scheduleJSON {
	return scheduleJSON{c.Expr, stamp(c.Created), stamp(c.Modified)}
}

// schedulesJSON says beside the schedules that nothing comes of them yet.
type schedulesJSON struct {
	Schedules []scheduleJSON `json:"schedules"`
	Fires     bool           `json:"switchyard_fires"`
}

func describeSchedules(s engine.Script) schedulesJSON {
	return schedulesJSON{Schedules: collect(s.Crons, describeSchedule)}
}

func (s *server) getSchedules(c *call) (any, error) {
	return described(describeSchedules)(s.Platform.Script(c.ref()))
}

// putSchedules replaces the schedules, which are checked and kept.
func (s *server) putSchedules(c *call) (any, error) {
	var sent []struct {
		Cron string `json:"cron"`
	}
	if err := c.readJSON(&sent); err != nil {
		return nil, err
	}
	return described(describeSchedules)(s.Platform.EditScript(c.context(), c.ref(), func(settings *engine.ScriptSettings) error {
		settings.Crons = nil
		for _, one := range sent {
			settings.Crons = append(settings.Crons, engine.Cron{Expr: one.Cron})
		}
		return nil
	}))
}
