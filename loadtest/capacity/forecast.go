package capacity

import (
	"bytes"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

// Forecast is what is to come. In a file it is YAML or JSON; unknown keys are refused.
type Forecast struct {
	Months  int                `yaml:"months" json:"months"` // 1 to 120. Default: 12
	Growth  float64            `yaml:"growth" json:"growth"` // of rates and tenants, a month: 0.05 is 5 %
	Peak    float64            `yaml:"peak" json:"peak"`     // highest rate over the mean one. Default: 3
	Kinds   map[string]float64 `yaml:"kinds" json:"kinds"`   // mean requests per second by kind of Worker, today
	Tenants Popularity         `yaml:"tenants" json:"tenants"`
	Machine Machine            `yaml:"machine" json:"machine"`
	Spare   int                `yaml:"spare" json:"spare"` // machines that may fail. Default: 0
	Have    int                `yaml:"have" json:"have"`   // machines there are. Default: not asked
	Warm    float64            `yaml:"warm" json:"warm"`   // share of requests that must find their tenant in memory. Default: what the memory gives
	Used    float64            `yaml:"used" json:"used"`   // share of the cores that may be used at the peak. Default: the highest at which the profile's SLO was kept
}

// Machine is what there is to buy.
type Machine struct {
	Cores  float64 `yaml:"cores" json:"cores"`
	Memory float64 `yaml:"memory_mb" json:"memory_mb"`
	Price  float64 `yaml:"price" json:"price"` // a month, in any currency. Default: not asked
}

// usedMemory is the share of a machine's memory that is planned with.
const usedMemory = 0.8

// ReadForecast reads a file.
func ReadForecast(file string) (*Forecast, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	var f Forecast
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("forecast %s: %w", file, err)
	}
	return &f, f.complete()
}

func (f *Forecast) complete() error {
	if f.Months == 0 {
		f.Months = 12
	}
	if f.Peak == 0 {
		f.Peak = 3
	}
	if f.Months < 1 || f.Months > 120 || !(f.Growth > -1 && f.Growth <= 10) || !(f.Peak >= 1 && f.Peak <= 1000) {
		return fmt.Errorf("forecast: months %d, growth %v, peak %v: 1 to 120, above -1 and at most 10, 1 to 1,000", f.Months, f.Growth, f.Peak)
	}
	if f.Spare < 0 || f.Spare > 100 || f.Have < 0 || !(f.Warm >= 0 && f.Warm < 1) || !(f.Used >= 0 && f.Used <= 1) {
		return fmt.Errorf("forecast: spare %d, have %d, warm %v, used %v: 0 to 100, not negative, 0 to below 1, 0 to 1", f.Spare, f.Have, f.Warm, f.Used)
	}
	if !(f.Machine.Cores > 0) || !(f.Machine.Memory > 0) || f.Machine.Price < 0 {
		return fmt.Errorf("forecast: machine: cores %v, memory_mb %v, price %v: above 0, and a price that is not negative", f.Machine.Cores, f.Machine.Memory, f.Machine.Price)
	}
	if len(f.Kinds) == 0 {
		return fmt.Errorf("forecast: kinds: no rate of any kind of Worker")
	}
	for name, rate := range f.Kinds {
		if !(rate > 0 && rate <= 1e9) {
			return fmt.Errorf("forecast: kinds.%s: %v is not above 0 and at most 1e9", name, rate)
		}
	}
	return f.Tenants.check()
}
