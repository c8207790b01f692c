import { describe, expect, it } from "vitest";
import { parseRepositoryUrl } from "../../src/sessions/repository-url.ts";

describe("the URL of a repository", () => {
  it.each([
    ["https://github.com/Acme/site", "github.com", 443, "/Acme/site", "site"],
    ["https://GitHub.com/acme/site.git/", "github.com", 443, "/acme/site", "site"],
    ["https://git.example.com:8443/group/sub/my.tool.git", "git.example.com", 8443, "/group/sub/my.tool", "my.tool"],
    ["https://github.com./acme/site", "github.com", 443, "/acme/site", "site"],
    ["https://[::1]:8443/a/b", "::1", 8443, "/a/b", "b"],
  ])("%s says where it is", (url, host, port, path, name) => {
    expect(parseRepositoryUrl(url, "url")).toEqual({ host, port, path, name });
  });

  it.each([
    "git@github.com:acme/site",
    "ssh://github.com/acme/site",
    "http://github.com/acme/site",
    "https://github.com",
    "https://github.com/acme",
    "https://github.com/acme/site/tree/main",
    "https://github.com/acme/site?token=x",
    "https://github.com/acme/site#readme",
    "https://github.com/acme/../site/x",
    "https://github.com/acme/%2e%2e/site",
    "https://github.com/acme/..",
    "https://github.com//site",
    "https://github.com\\acme/site",
    "https://git\nhub.com/acme/site",
    "https://github.com/acme/si te",
    " https://github.com/acme/site",
    "https://@github.com/acme/site",
  ])("%j is refused", (url) => {
    expect(() => parseRepositoryUrl(url, "url")).toThrow(/^url: /);
  });

  it("is never repeated when a credential may stand in it", () => {
    expect(() => parseRepositoryUrl("https://me:canary@github.com/a/b", "url")).toThrow(/^(?!.*canary)url: .*token/);
  });
});
