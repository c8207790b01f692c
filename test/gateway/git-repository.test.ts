import { describe, expect, it } from "vitest";
import { repositoryAt } from "../../src/gateway/git-repository.ts";

const REPOSITORY = { resourceId: "sesrsc_1", host: "GitHub.com", port: 443, path: "/owner/name", token: null };
const isFound = (path: string, host = "github.com", port = 443) =>
  repositoryAt([REPOSITORY], { host, port, path }) !== null;

describe("the repository that a request is for", () => {
  it.each([
    "/owner/name/info/refs?service=git-upload-pack",
    "/owner/name.git/info/refs",
    "/owner/name.git/git-upload-pack",
    "/owner/name/git-receive-pack",
    "/owner/name.git/info/lfs/objects/batch",
  ])("is found at %s", (path) => {
    expect(isFound(path)).toBe(true);
    expect(isFound(path, "gitlab.com")).toBe(false);
    expect(isFound(path, "github.com", 8443)).toBe(false);
  });

  it.each([
    "/owner/name",
    "/owner/name/settings",
    "/owner/name2/info/refs",
    "/owner/name.gitx/info/refs",
    "/owner/name/info/lfs/",
    "/other/repo/info/refs",
    "/owner/name/info/refs/more",
    "/owner/name/info/lfs/../../../../other/repo/info/refs",
    "/owner/name/info/lfs/..%2f..%2fother",
    "/owner/name/info/lfs/%2e%2e/%2e%2e/other",
    "/owner/name/info/lfs/..\\..\\other",
    "/owner/name/info/lfs//objects",
    "/owner/name/./info/refs",
    "/x/../owner/name/info/refs",
    "/owner/name/info/lfs/..;/settings",
    "/settings?/owner/name/info/refs",
    "/settings#/owner/name/info/refs",
  ])("is not found at %s", (path) => {
    expect(isFound(path)).toBe(false);
  });
});
