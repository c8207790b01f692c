/** Where the package managers of an environment get their packages from, mirrors aside. */
export const PACKAGE_HOSTS: readonly string[] = [
  "deb.debian.org",
  "security.debian.org",
  "registry.npmjs.org",
  "pypi.org",
  "files.pythonhosted.org",
  "index.crates.io",
  "static.crates.io",
  "crates.io",
  "rubygems.org",
  "index.rubygems.org",
  "proxy.golang.org",
  "sum.golang.org",
];
