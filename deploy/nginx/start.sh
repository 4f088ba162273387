#!/bin/sh
# Writes how nginx listens and becomes nginx: plain HTTP, or TLS with the files of /certs where NGINX_TLS is 1.
set -eu
case "${NGINX_TLS:-0}" in
0 | "")
  echo 'server { listen 8088; include /etc/nginx/spx/site.conf; }' >/tmp/listen.conf
  ;;
1)
  for file in /certs/tls.crt /certs/tls.key; do
    [ -r "$file" ] || { echo "NGINX_TLS=1 needs $file; put tls.crt and tls.key into the folder NGINX_CERTS names, or set NGINX_TLS=0" >&2; exit 1; }
  done
  cat >/tmp/listen.conf <<'CONF'
server {
    listen 8088 ssl http2;
    ssl_certificate /certs/tls.crt;
    ssl_certificate_key /certs/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    # Plain HTTP on the port of TLS is sent to the right place.
    error_page 497 =308 https://$http_host$request_uri;
    include /etc/nginx/spx/site.conf;
}
CONF
  ;;
*)
  echo "NGINX_TLS=$NGINX_TLS is neither 0 nor 1" >&2
  exit 1
  ;;
esac
mkdir -p /tmp/body /tmp/proxy /tmp/fastcgi /tmp/uwsgi /tmp/scgi
exec nginx -c /etc/nginx/spx/nginx.conf -g 'daemon off;'
