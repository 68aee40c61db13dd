// Package nginx runs an nginx of one's own: in a folder of its own, with a configuration that changes while
// connections stay open. It is for examples and tests; where nginx is a service, `nginx -s reload` does the same.
package nginx
