package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const nginxConfig = `daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  keepalive_requests 100000000;
  server { listen %[2]s; location / { default_type text/plain; return 200 "Hello"; } }
}
`

// startNginx serves Hello with Debian's nginx, where that is installed.
func startNginx(dir string) (*process, error) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/nginx"); err != nil {
			return nil, errors.New("nginx is not installed (apt-get install nginx-light)")
		}
		binary = "/usr/sbin/nginx"
	}
	dir = filepath.Join(dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return startAt(func(addr string) (*process, error) {
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, dir, addr), 0o600); err != nil {
			return nil, err
		}
		return launch(nil, binary, "-c", file, "-p", dir)
	})
}
