package control

// row is one endpoint of the API.
type row struct {
	method   string // "" is any
	pattern  string
	endpoint endpoint
}

const (
	pathBase       = "/client/v4"
	pathAccount    = pathBase + "/accounts/{account}"
	pathNamespaces = pathAccount + "/workers/dispatch/namespaces"
	pathNamespace  = pathNamespaces + "/{namespace}"
	pathPlans      = pathAccount + "/workers/dispatch/plans"
	pathUser       = pathNamespace + "/scripts/{script}"         // a script in a namespace
	pathPlain      = pathAccount + "/workers/scripts/{script}"   // one outside
	pathService    = pathAccount + "/workers/services/{service}" // the same by its older name
	pathRoutes     = pathBase + "/zones/{zone}/workers/routes"
)

// endpoints is everything there is; API.md describes it.
func (s *server) endpoints() []row {
	rows := []row{
		{"GET", "/metrics", s.metrics},

		{"GET", pathBase + "/user", s.getUser},
		{"GET", pathBase + "/accounts", s.listAccounts},
		{"GET", pathBase + "/memberships", s.listMemberships},
		{"GET", pathAccount, s.getAccount},
		{"GET", pathAccount + "/audit_logs", s.listAudit},

		{"GET", pathNamespaces, s.listNamespaces},
		{"POST", pathNamespaces, s.createNamespace},
		{"GET", pathNamespace, s.getNamespace},
		{"PUT", pathNamespace, s.updateNamespace},
		{"PATCH", pathNamespace, s.updateNamespace},
		{"DELETE", pathNamespace, s.deleteNamespace},
		{"GET", pathNamespace + "/scripts", s.listUserScripts},
		{"DELETE", pathNamespace + "/scripts", s.deleteUserScripts},
		{"GET", pathNamespace + "/usage", s.getUsage},
		{"GET", pathUser, s.getUserScript},

		{"GET", pathPlans, s.listPlans},
		{"GET", pathPlans + "/{plan}", s.getPlan},
		{"PUT", pathPlans + "/{plan}", s.putPlan},
		{"DELETE", pathPlans + "/{plan}", s.deletePlan},
		{"GET", pathAccount + "/workers/dispatch/usage", s.getUsage},

		{"GET", pathAccount + "/workers/scripts", s.listScripts},
		{"GET", pathPlain, s.getContent},
		{"GET", pathPlain + "/subdomain", s.getScriptSubdomain},
		{"POST", pathPlain + "/subdomain", s.postScriptSubdomain},
		{"DELETE", pathPlain + "/subdomain", s.deleteScriptSubdomain},
		{"PUT", pathPlain + "/routes", s.putScriptRoutes},
		{"GET", pathService, s.getService},
		{"DELETE", pathService, s.deleteService},
		{"GET", pathAccount + "/workers/subdomain", s.getSubdomain},

		{"POST", pathAccount + "/workers/assets/upload", s.upload(s.uploadAssets)},

		{"GET", pathBase + "/zones", s.listZones},
		{"GET", pathRoutes, s.listZoneRoutes},
		{"POST", pathRoutes, s.createRoute},
		{"GET", pathRoutes + "/{route}", s.getRoute},
		{"PUT", pathRoutes + "/{route}", s.updateRoute},
		{"DELETE", pathRoutes + "/{route}", s.deleteRoute},

		// wrangler lists these, and KV namespaces, before and after it deletes a Worker.
		{"GET", pathAccount + "/workers/durable_objects/namespaces", none},
	}
	rows = append(rows, s.kvEndpoints()...)
	rows = append(rows, s.datasetEndpoints()...)
	rows = append(rows, s.workerEndpoints()...)
	rows = append(rows, s.domainEndpoints()...)
	rows = append(rows, s.tokenEndpoints(pathBase+"/user/tokens")...)
	rows = append(rows, s.tokenEndpoints(pathAccount+"/tokens")...)
	if s.Observer != nil {
		rows = append(rows, row{"GET", pathAccount + "/workers/logs", s.queryJournal})
		for _, path := range []string{pathUser, pathPlain, pathNamespace} {
			rows = append(rows, s.observerEndpoints(path)...)
		}
	}
	rows = append(rows, s.scriptEndpoints(pathUser)...)
	rows = append(rows, s.scriptEndpoints(pathPlain)...)
	return append(rows, absentEndpoints()...)
}

// scriptEndpoints are those that a script has inside a namespace and outside alike.
func (s *server) scriptEndpoints(path string) []row {
	return []row{
		{"PUT", path, s.upload(s.putScript)},
		{"DELETE", path, s.deleteScript},
		{"GET", path + "/content", s.getContent},
		{"GET", path + "/content/v2", s.getContent},
		{"PUT", path + "/content", s.upload(s.putContent)},
		{"GET", path + "/settings", s.getSettings},
		{"PATCH", path + "/settings", s.patchSettings},
		{"GET", path + "/script-settings", s.getScriptLevel},
		{"PATCH", path + "/script-settings", s.patchScriptLevel},
		{"GET", path + "/bindings", s.getBindings},
		{"GET", path + "/secrets", s.listSecrets},
		{"PUT", path + "/secrets", s.putSecret},
		{"GET", path + "/secrets/{secret}", s.getSecret},
		{"DELETE", path + "/secrets/{secret}", s.deleteSecret},
		{"PATCH", path + "/secrets-bulk", s.patchSecrets},
		{"GET", path + "/tags", s.listTags},
		{"PUT", path + "/tags", s.putTags},
		{"PUT", path + "/tags/{tag}", s.putTag},
		{"DELETE", path + "/tags/{tag}", s.deleteTag},
		{"GET", path + "/versions", s.listVersions},
		{"POST", path + "/versions", s.upload(s.addVersion)},
		{"GET", path + "/versions/{version}", s.getVersion},
		{"GET", path + "/versions/{version}/content", s.getVersionContent},
		{"GET", path + "/deployments", s.listDeployments},
		{"POST", path + "/deployments", s.addDeployment},
		{"GET", path + "/deployments/{deployment}", s.getDeployment},
		{"POST", path + "/assets-upload-session", s.upload(s.beginAssets)},
		{"GET", path + "/schedules", s.getSchedules},
		{"PUT", path + "/schedules", s.putSchedules},
	}
}

// observerEndpoints are those of a script or a whole namespace that tell about its calls.
func (s *server) observerEndpoints(path string) []row {
	return []row{
		{"POST", path + "/tails", s.createTail},
		{"GET", path + "/tails", s.listTails},
		{"DELETE", path + "/tails/{tail}", s.deleteTail},
		{"GET", path + "/logs", s.queryJournal},
	}
}

// absentEndpoints name what is not here, so that a client's user reads more than "no route".
func absentEndpoints() []row {
	return []row{
		{"", pathAccount + "/r2/*", absent("R2")},
		{"", pathAccount + "/d1/*", absent("D1")},
		{"", pathAccount + "/queues/*", absent("Queues")},
		{"", pathAccount + "/hyperdrive/*", absent("Hyperdrive")},
		{"", pathAccount + "/vectorize/*", absent("Vectorize")},
		{"", pathAccount + "/workflows/*", absent("Workflows")},
		{"", pathAccount + "/pipelines/*", absent("Pipelines")},
		{"", pathAccount + "/ai/*", absent("Workers AI")},
		{"", pathAccount + "/browser-rendering/*", absent("Browser Rendering")},
		{"", pathAccount + "/images/*", absent("Images")},
		{"", pathAccount + "/secrets_store/*", absent("Secrets Store")},
		{"", pathAccount + "/containers/*", absent("Containers")},
		{"", pathAccount + "/pages/*", absent("Pages")},
		{"", pathAccount + "/mtls_certificates/*", absent("mTLS certificates")},
		{"", pathBase + "/zones/{zone}/custom_hostnames/*", absent("Custom hostnames")},
		{"", pathBase + "/graphql", absent("GraphQL analytics")},
		{"", pathUser + "/domains/*", absent("Custom domains of a script in a namespace")},
	}
}
