package isolate

type callState struct{}
