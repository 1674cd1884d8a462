// Bindings that the host answers: a call is a fetch from the binding's index (engine/answer.go). They share this request
// where they bring no body; nobody looks at its URL.

const BINDING_URL = "https://binding.invalid/";
const BINDING_REQUEST = new Request(BINDING_URL);
const BindingRequest = Request;

// askBinding gives the host's Response to a call. name is a string; options, when there are any, are ownMembers.
function askBinding(index, name, options, request = BINDING_REQUEST) {
  insideHandler();
  return sw.fetch(index, request, name, options === undefined ? undefined : toJSON(options));
}
