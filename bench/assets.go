package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime/multipart"
)

// uploadAssets serves a file: by itself, or through a Worker of bench/peers.
func uploadAssets(worker string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		u := upload{path: inBench + "asset", files: map[string]string{"/index.html": hello}}
		if worker != "" {
			source, err := readPeer(worker)
			if err != nil {
				return nil, err
			}
			u.main, u.source, u.bindings = "index.js", source, []map[string]any{{"type": "assets", "name": "ASSETS"}}
		}
		return startSwitchyard(dir, nil, []upload{u})
	}
}

// uploadFiles uploads a script's files, by path, and returns the token that its upload names.
func uploadFiles(control, path string, files map[string]string) (string, error) {
	if len(files) == 0 {
		return "", nil
	}
	manifest := map[string]any{}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for file, content := range files {
		hash := fmt.Sprintf("%032x", len(manifest))
		manifest[file] = map[string]any{"hash": hash, "size": len(content)}
		w.WriteField(hash, base64.StdEncoding.EncodeToString([]byte(content)))
	}
	w.Close()
	doc, err := json.Marshal(map[string]any{"manifest": manifest})
	if err != nil {
		return "", err
	}
	session, err := postForToken(control+accountAPI+path+"/assets-upload-session", benchToken, "application/json", doc)
	if err != nil {
		return "", err
	}
	return postForToken(control+accountAPI+"/assets/upload?base64=true", session, w.FormDataContentType(), form.Bytes())
}

func postForToken(url, token, contentType string, body []byte) (string, error) {
	text, err := fetch("POST", url, token, contentType, body)
	if err != nil {
		return "", err
	}
	var answer struct{ Result struct{ JWT string } }
	if err := json.Unmarshal(text, &answer); err != nil || answer.Result.JWT == "" {
		return "", fmt.Errorf("POST %s: %s is no token", url, text)
	}
	return answer.Result.JWT, nil
}
