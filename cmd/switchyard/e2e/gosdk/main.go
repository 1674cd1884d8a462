// Command gosdk calls everything of the Go SDK that a platform's deploy code uses, and prints
// for each call whether it worked. CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN and ACCOUNT are in
// the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	cloudflare "github.com/cloudflare/cloudflare-go/v6"
	"github.com/cloudflare/cloudflare-go/v6/kv"
	"github.com/cloudflare/cloudflare-go/v6/option"
	"github.com/cloudflare/cloudflare-go/v6/shared"
	"github.com/cloudflare/cloudflare-go/v6/workers"
	wfp "github.com/cloudflare/cloudflare-go/v6/workers_for_platforms"
)

var (
	ctx     = context.Background()
	account = cloudflare.F(os.Getenv("ACCOUNT"))
)

const (
	namespace = "go-6"
	script    = "worker"
	plain     = "plain-go"
)

// module is a part of an upload.
type module struct {
	io.Reader
	name, kind string
}

func (m module) Filename() string    { return m.name }
func (m module) ContentType() string { return m.kind }

func files(text string) []io.Reader {
	source := fmt.Sprintf("export default { fetch() { return new Response(%q) } }", text)
	return []io.Reader{module{strings.NewReader(source), "worker.mjs", "application/javascript+module"}}
}

// call runs one operation; ok looks at the result.
func call[T any](what string, run func() (T, error), ok func(T) bool) (result T) {
	result, err := run()
	var failed *cloudflare.Error
	switch {
	case errors.As(err, &failed) && len(failed.Errors) > 0:
		fmt.Printf("%s: %d %d %s\n", what, failed.StatusCode, failed.Errors[0].Code, failed.Errors[0].Message)
	case err != nil:
		fmt.Printf("%s: %s\n", what, strings.SplitN(err.Error(), "\n", 2)[0])
	case !ok(result):
		fmt.Printf("%s: answers %+v\n", what, result)
	default:
		fmt.Printf("%s: works\n", what)
	}
	return result
}

func there[T any](p *T) bool { return p != nil }

func main() {
	opts := []option.RequestOption{
		option.WithBaseURL(os.Getenv("CLOUDFLARE_BASE_URL")), option.WithAPIToken(os.Getenv("CLOUDFLARE_API_TOKEN")), option.WithMaxRetries(0),
	}
	namespaces(wfp.NewWorkersForPlatformService(opts...).Dispatch.Namespaces)
	plainWorkers(workers.NewWorkerService(opts...))
	stores(kv.NewKVService(opts...))
}

func namespaces(ns *wfp.DispatchNamespaceService) {
	call("namespaces.new", func() (*wfp.DispatchNamespaceNewResponse, error) {
		return ns.New(ctx, wfp.DispatchNamespaceNewParams{AccountID: account, Name: cloudflare.F(namespace)})
	}, func(r *wfp.DispatchNamespaceNewResponse) bool {
		return r.NamespaceName == namespace && !r.CreatedOn.IsZero()
	})
	call("namespaces.list", func() (int, error) {
		page, err := ns.List(ctx, wfp.DispatchNamespaceListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n > 0 })
	call("namespaces.get", func() (*wfp.DispatchNamespaceGetResponse, error) {
		return ns.Get(ctx, namespace, wfp.DispatchNamespaceGetParams{AccountID: account})
	}, func(r *wfp.DispatchNamespaceGetResponse) bool { return r.NamespaceID != "" })
	userScripts(ns.Scripts)
	call("namespaces.delete", func() (*wfp.DispatchNamespaceDeleteResponse, error) {
		return ns.Delete(ctx, namespace, wfp.DispatchNamespaceDeleteParams{AccountID: account})
	}, func(*wfp.DispatchNamespaceDeleteResponse) bool { return true })
}

func userScripts(s *wfp.DispatchNamespaceScriptService) {
	call("scripts.update", func() (*wfp.DispatchNamespaceScriptUpdateResponse, error) {
		return s.Update(ctx, namespace, script, wfp.DispatchNamespaceScriptUpdateParams{
			AccountID: account, Files: cloudflare.F(files("one")),
			Metadata: cloudflare.F(wfp.DispatchNamespaceScriptUpdateParamsMetadata{
				MainModule: cloudflare.F("worker.mjs"), CompatibilityDate: cloudflare.F("2025-01-01"), Tags: cloudflare.F([]string{"c1", "pro"}),
				Bindings: cloudflare.F([]wfp.DispatchNamespaceScriptUpdateParamsMetadataBindingUnion{
					wfp.DispatchNamespaceScriptUpdateParamsMetadataBindingsWorkersBindingKindPlainText{
						Name: cloudflare.F("A"), Text: cloudflare.F("b"), Type: cloudflare.F(wfp.DispatchNamespaceScriptUpdateParamsMetadataBindingsWorkersBindingKindPlainTextTypePlainText),
					},
				}),
			}),
		})
	}, func(r *wfp.DispatchNamespaceScriptUpdateResponse) bool { return r.ID == script })
	call("scripts.get", func() (*wfp.Script, error) {
		return s.Get(ctx, namespace, script, wfp.DispatchNamespaceScriptGetParams{AccountID: account})
	}, func(r *wfp.Script) bool { return len(r.Script.Tags) == 2 })
	call("content.get", func() (string, error) {
		return text(s.Content.Get(ctx, namespace, script, wfp.DispatchNamespaceScriptContentGetParams{AccountID: account}))
	}, func(t string) bool { return strings.Contains(t, "one") })
	call("content.update", func() (*workers.Script, error) {
		return s.Content.Update(ctx, namespace, script, wfp.DispatchNamespaceScriptContentUpdateParams{
			AccountID: account, Files: cloudflare.F(files("two")), Metadata: cloudflare.F(workers.WorkerMetadataParam{MainModule: cloudflare.F("worker.mjs")}),
		})
	}, func(r *workers.Script) bool { return r.ID == script })
	call("settings.get", func() (*wfp.DispatchNamespaceScriptSettingGetResponse, error) {
		return s.Settings.Get(ctx, namespace, script, wfp.DispatchNamespaceScriptSettingGetParams{AccountID: account})
	}, func(r *wfp.DispatchNamespaceScriptSettingGetResponse) bool { return len(r.Bindings) == 1 })
	call("settings.edit", func() (*wfp.DispatchNamespaceScriptSettingEditResponse, error) {
		return s.Settings.Edit(ctx, namespace, script, wfp.DispatchNamespaceScriptSettingEditParams{
			AccountID: account, Settings: cloudflare.F(wfp.DispatchNamespaceScriptSettingEditParamsSettings{Tags: cloudflare.F([]string{"z"})}),
		})
	}, func(r *wfp.DispatchNamespaceScriptSettingEditResponse) bool { return len(r.Tags) == 1 })
	call("bindings.get", func() (int, error) {
		page, err := s.Bindings.Get(ctx, namespace, script, wfp.DispatchNamespaceScriptBindingGetParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n == 1 })
	secretsAndTags(s)
	call("assetUpload.new", func() (*wfp.DispatchNamespaceScriptAssetUploadNewResponse, error) {
		return s.AssetUpload.New(ctx, namespace, script, wfp.DispatchNamespaceScriptAssetUploadNewParams{
			AccountID: account, Manifest: cloudflare.F(map[string]wfp.DispatchNamespaceScriptAssetUploadNewParamsManifest{"/a.txt": {Hash: cloudflare.F("0123456789abcdef0123456789abcdef"), Size: cloudflare.F(int64(3))}}),
		})
	}, func(r *wfp.DispatchNamespaceScriptAssetUploadNewResponse) bool {
		return r.JWT != "" && len(r.Buckets) == 1
	})
	call("scripts.delete", func() (*wfp.DispatchNamespaceScriptDeleteResponse, error) {
		return s.Delete(ctx, namespace, script, wfp.DispatchNamespaceScriptDeleteParams{AccountID: account, Force: cloudflare.F(true)})
	}, func(*wfp.DispatchNamespaceScriptDeleteResponse) bool { return true })
	call("scripts.get of a missing one", func() (string, error) {
		_, err := s.Get(ctx, namespace, script, wfp.DispatchNamespaceScriptGetParams{AccountID: account})
		if err == nil {
			return "no error", nil
		}
		return "", nil
	}, func(t string) bool { return t == "" })
}

func text(r *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func secretsAndTags(s *wfp.DispatchNamespaceScriptService) {
	call("secrets.update", func() (*wfp.DispatchNamespaceScriptSecretUpdateResponse, error) {
		return s.Secrets.Update(ctx, namespace, script, wfp.DispatchNamespaceScriptSecretUpdateParams{
			AccountID: account, Body: wfp.DispatchNamespaceScriptSecretUpdateParamsBodyWorkersBindingKindSecretText{
				Name: cloudflare.F("SEC"), Text: cloudflare.F("v"), Type: cloudflare.F(wfp.DispatchNamespaceScriptSecretUpdateParamsBodyWorkersBindingKindSecretTextTypeSecretText),
			},
		})
	}, func(r *wfp.DispatchNamespaceScriptSecretUpdateResponse) bool { return r.Name == "SEC" })
	call("secrets.list", func() (int, error) {
		page, err := s.Secrets.List(ctx, namespace, script, wfp.DispatchNamespaceScriptSecretListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n == 1 })
	call("secrets.get", func() (*wfp.DispatchNamespaceScriptSecretGetResponse, error) {
		return s.Secrets.Get(ctx, namespace, script, "SEC", wfp.DispatchNamespaceScriptSecretGetParams{AccountID: account})
	}, func(r *wfp.DispatchNamespaceScriptSecretGetResponse) bool { return r.Name == "SEC" })
	call("secrets.delete", func() (*wfp.DispatchNamespaceScriptSecretDeleteResponse, error) {
		return s.Secrets.Delete(ctx, namespace, script, "SEC", wfp.DispatchNamespaceScriptSecretDeleteParams{AccountID: account})
	}, func(*wfp.DispatchNamespaceScriptSecretDeleteResponse) bool { return true })
	call("tags.update", func() (int, error) {
		page, err := s.Tags.Update(ctx, namespace, script, wfp.DispatchNamespaceScriptTagUpdateParams{AccountID: account, Body: []string{"x", "y"}})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n == 2 })
	call("tags.list", func() (int, error) {
		page, err := s.Tags.List(ctx, namespace, script, wfp.DispatchNamespaceScriptTagListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n == 2 })
	call("tags.delete", func() (*wfp.DispatchNamespaceScriptTagDeleteResponse, error) {
		return s.Tags.Delete(ctx, namespace, script, "x", wfp.DispatchNamespaceScriptTagDeleteParams{AccountID: account})
	}, func(*wfp.DispatchNamespaceScriptTagDeleteResponse) bool { return true })
}

func plainWorkers(w *workers.WorkerService) {
	s := w.Scripts
	call("workers.scripts.update", func() (*workers.ScriptUpdateResponse, error) {
		return s.Update(ctx, plain, workers.ScriptUpdateParams{
			AccountID: account, Files: cloudflare.F(files("plain")), Metadata: cloudflare.F(workers.ScriptUpdateParamsMetadata{MainModule: cloudflare.F("worker.mjs"), CompatibilityDate: cloudflare.F("2025-01-01")}),
		})
	}, func(r *workers.ScriptUpdateResponse) bool { return r.ID == plain })
	call("workers.scripts.list", func() (int, error) {
		page, err := s.List(ctx, workers.ScriptListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n > 0 })
	call("workers.scripts.content.get", func() (string, error) {
		return text(s.Content.Get(ctx, plain, workers.ScriptContentGetParams{AccountID: account}))
	}, func(t string) bool { return strings.Contains(t, "plain") })
	call("workers.scripts.schedules.update", func() (*workers.ScriptScheduleUpdateResponse, error) {
		return s.Schedules.Update(ctx, plain, workers.ScriptScheduleUpdateParams{AccountID: account, Body: []workers.ScriptScheduleUpdateParamsBody{{Cron: cloudflare.F("*/5 * * * *")}}})
	}, func(r *workers.ScriptScheduleUpdateResponse) bool { return len(r.Schedules) == 1 })
	call("workers.scripts.schedules.get", func() (*workers.ScriptScheduleGetResponse, error) {
		return s.Schedules.Get(ctx, plain, workers.ScriptScheduleGetParams{AccountID: account})
	}, func(r *workers.ScriptScheduleGetResponse) bool { return len(r.Schedules) == 1 })
	call("workers.scripts.subdomain.new", func() (*workers.ScriptSubdomainNewResponse, error) {
		return s.Subdomain.New(ctx, plain, workers.ScriptSubdomainNewParams{AccountID: account, Enabled: cloudflare.F(true)})
	}, func(r *workers.ScriptSubdomainNewResponse) bool { return r.Enabled })
	versions(s)
	domainsAndRoutes(w)
	call("workers.subdomains.get", func() (*workers.SubdomainGetResponse, error) {
		return w.Subdomains.Get(ctx, workers.SubdomainGetParams{AccountID: account})
	}, func(r *workers.SubdomainGetResponse) bool { return r.Subdomain != "" })
	call("workers.scripts.delete", func() (*workers.ScriptDeleteResponse, error) {
		return s.Delete(ctx, plain, workers.ScriptDeleteParams{AccountID: account, Force: cloudflare.F(true)})
	}, func(*workers.ScriptDeleteResponse) bool { return true })
}

func versions(s *workers.ScriptService) {
	made := call("workers.scripts.versions.new", func() (*workers.ScriptVersionNewResponse, error) {
		return s.Versions.New(ctx, plain, workers.ScriptVersionNewParams{
			AccountID: account, Files: cloudflare.F(files("v2")), Metadata: cloudflare.F(workers.ScriptVersionNewParamsMetadata{MainModule: cloudflare.F("worker.mjs")}),
		})
	}, func(r *workers.ScriptVersionNewResponse) bool { return r.ID != "" })
	if !there(made) {
		return
	}
	call("workers.scripts.versions.list", func() (int, error) {
		page, err := s.Versions.List(ctx, plain, workers.ScriptVersionListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result.Items), nil
	}, func(n int) bool { return n == 2 })
	call("workers.scripts.versions.get", func() (*workers.ScriptVersionGetResponse, error) {
		return s.Versions.Get(ctx, plain, made.ID, workers.ScriptVersionGetParams{AccountID: account})
	}, func(r *workers.ScriptVersionGetResponse) bool { return r.ID == made.ID })
	call("workers.scripts.deployments.new", func() (*workers.Deployment, error) {
		return s.Deployments.New(ctx, plain, workers.ScriptDeploymentNewParams{AccountID: account, Deployment: workers.DeploymentParam{
			Strategy: cloudflare.F(workers.DeploymentStrategyPercentage), Versions: cloudflare.F([]workers.DeploymentVersionParam{{Percentage: cloudflare.F(100.0), VersionID: cloudflare.F(made.ID)}}),
		}})
	}, func(r *workers.Deployment) bool { return r.ID != "" })
	call("workers.scripts.deployments.list", func() (*workers.ScriptDeploymentListResponse, error) {
		return s.Deployments.List(ctx, plain, workers.ScriptDeploymentListParams{AccountID: account})
	}, func(r *workers.ScriptDeploymentListResponse) bool { return len(r.Deployments) == 2 })
}

func domainsAndRoutes(w *workers.WorkerService) {
	d := call("workers.domains.update", func() (*workers.DomainUpdateResponse, error) {
		return w.Domains.Update(ctx, workers.DomainUpdateParams{AccountID: account, Hostname: cloudflare.F("go.example.com"), Service: cloudflare.F(plain)})
	}, func(r *workers.DomainUpdateResponse) bool { return r.Service == plain })
	call("workers.domains.list", func() (int, error) {
		page, err := w.Domains.List(ctx, workers.DomainListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n == 1 })
	if there(d) {
		call("workers.domains.delete", func() (*workers.DomainDeleteResponse, error) {
			return w.Domains.Delete(ctx, d.ID, workers.DomainDeleteParams{AccountID: account})
		}, func(*workers.DomainDeleteResponse) bool { return true })
	}
	zone := cloudflare.F("zone")
	r := call("workers.routes.new", func() (*workers.RouteNewResponse, error) {
		return w.Routes.New(ctx, workers.RouteNewParams{ZoneID: zone, Pattern: cloudflare.F("go.example.com/*"), Script: cloudflare.F(plain)})
	}, func(r *workers.RouteNewResponse) bool { return r.ID != "" })
	if there(r) {
		call("workers.routes.get", func() (*workers.RouteGetResponse, error) {
			return w.Routes.Get(ctx, r.ID, workers.RouteGetParams{ZoneID: zone})
		}, func(r *workers.RouteGetResponse) bool { return r.Script == plain })
		call("workers.routes.delete", func() (*workers.RouteDeleteResponse, error) {
			return w.Routes.Delete(ctx, r.ID, workers.RouteDeleteParams{ZoneID: zone})
		}, func(*workers.RouteDeleteResponse) bool { return true })
	}
}

func stores(s *kv.KVService) {
	made := call("kv.namespaces.new", func() (*kv.Namespace, error) {
		return s.Namespaces.New(ctx, kv.NamespaceNewParams{AccountID: account, Title: cloudflare.F("go")})
	}, func(n *kv.Namespace) bool { return n.ID != "" })
	if !there(made) {
		return
	}
	call("kv.namespaces.list", func() (int, error) {
		page, err := s.Namespaces.List(ctx, kv.NamespaceListParams{AccountID: account})
		if err != nil {
			return 0, err
		}
		return len(page.Result), nil
	}, func(n int) bool { return n > 0 })
	call("kv.namespaces.values.update", func() (*kv.NamespaceValueUpdateResponse, error) {
		return s.Namespaces.Values.Update(ctx, made.ID, "a/b", kv.NamespaceValueUpdateParams{AccountID: account, Value: cloudflare.F[kv.NamespaceValueUpdateParamsValueUnion](shared.UnionString("v"))})
	}, func(*kv.NamespaceValueUpdateResponse) bool { return true })
	call("kv.namespaces.values.get", func() (string, error) {
		return text(s.Namespaces.Values.Get(ctx, made.ID, "a/b", kv.NamespaceValueGetParams{AccountID: account}))
	}, func(t string) bool { return t == "v" })
	call("kv.namespaces.delete", func() (*kv.NamespaceDeleteResponse, error) {
		return s.Namespaces.Delete(ctx, made.ID, kv.NamespaceDeleteParams{AccountID: account})
	}, func(*kv.NamespaceDeleteResponse) bool { return true })
}
