import { cyclesOf, type Import, importsOf, type Tree } from "./import-graph.ts";

interface Rule {
  says: string;
  /** Whose imports are looked at. */
  files: RegExp;
  /** Files the rule does not hold for. */
  except?: RegExp;
  /** What they may import; anything when absent. */
  may?: RegExp;
  /** What they may not. */
  mayNot?: RegExp;
  /** `value` looks away from `import type`. */
  kind?: "value";
}

const STORES = /-store\.ts$/;
const PURE_HARNESS =
  /^src\/harness\/(loop|turn-view|context|recover|replay|intake|compaction|system-prompt|tool-result|toolset|retry|tools\/.+)\.ts$/;
/** Where the parts are put together, so where every part is known. */
const COMPOSITION = /^src\/(main\.ts$|roles\/|cli\/)/;

const RULES: readonly Rule[] = [
  { says: "nothing imports test/", files: /^(?!test\/)/, mayNot: /^test\// },
  { says: "schemas import zod and each other", files: /^src\/schemas\//, may: /^(src\/schemas\/|zod$)/ },
  {
    says: "the pure part of the harness runs on schemas, errors and itself",
    files: PURE_HARNESS,
    may: new RegExp(`^zod$|^src/(schemas/|errors\\.ts$|ids\\.ts$)|${PURE_HARNESS.source}`),
    kind: "value",
  },
  { says: "the pure part of the harness knows no package but zod", files: PURE_HARNESS, may: /^(src\/|zod$)/ },
  {
    says: "sandbox knows no vault, session, model or harness",
    files: /^src\/sandbox\//,
    mayNot: /^src\/(vaults|secrets|sessions|models|harness|api)\//,
  },
  {
    says: "api imports no harness, sandbox, models, bots or workers",
    files: /^src\/api\//,
    mayNot: /^(src\/(harness|sandbox|models)|bots|workers)\//,
  },
  {
    says: "of src/, bots import schemas, errors, ids and log",
    files: /^bots\//,
    except: STORES,
    mayNot: /^src\/(?!schemas\/|errors\.ts$|ids\.ts$|log\.ts$)/,
  },
  {
    says: "a store of the bots imports the database, the port to the cipher and no other part of src/",
    files: /^bots\/.+-store\.ts$/,
    mayNot: /^src\/(?!schemas\/|errors\.ts$|ids\.ts$|log\.ts$|database\.ts$|secrets\/secret-cipher\.ts$|generated\/)/,
  },
  { says: "what bots share knows none of them", files: /^bots\/shared\//, mayNot: /^bots\/(?!shared\/)/ },
  ...["slack", "teams", "terminal"].map((bot) => ({
    says: "a bot imports bots/shared, never another bot",
    files: new RegExp(`^bots/${bot}/`),
    mayNot: new RegExp(`^bots/(?!shared/|${bot}/)`),
  })),
  {
    says: "only bots/teams/connector.ts knows Microsoft's bot SDK, which is at its end",
    files: /^(src|bots|workers|demo|bench)\//,
    except: /^bots\/teams\/connector\.ts$/,
    mayNot: /^(botbuilder|botframework-)/,
  },
  {
    says: "only *-store.ts, sessions/ and the database touch Prisma",
    files: /^(src|bots|workers|demo|bench)\//,
    except: /-store\.ts$|^src\/(sessions|embedded)\/|^src\/database\.ts$/,
    mayNot: /^(src\/generated\/|@prisma\/)/,
  },
  {
    says: "only the composition root knows bots and workers",
    files: /^src\//,
    except: COMPOSITION,
    mayNot: /^(bots|workers)\//,
  },
];

/** The one module whose public face is an index file. */
const FACES = /^src\/harness\/tools\/index\.ts$/;
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(int|e2e))?(\.(test|test-d|d))?\.ts$/;
const FOLDER_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const EMPTY_NAME = /(^|-)(utils?|helpers?|misc|manager)(-|\.|$)/;
const READS_ENVIRONMENT = /\bprocess\.env\b/;
const MAY_READ_ENVIRONMENT = /^(src\/config\.ts$|test\/)/;

/** What in the tree breaks a rule of the house, one readable line each. */
export function violationsIn(tree: Tree): string[] {
  const imports = importsOf(tree);
  return [
    ...imports.flatMap((edge) =>
      RULES.filter((rule) => breaks(rule, edge)).map((rule) => `${describe(edge)}: ${rule.says}`),
    ),
    ...cyclesOf(imports).map((files) => `${files.join(" → ")}: no cycles`),
    ...[...tree.keys()].flatMap((file) => namingViolations(file)),
    ...[...tree]
      .filter(([file, source]) => READS_ENVIRONMENT.test(source) && !MAY_READ_ENVIRONMENT.test(file))
      .map(([file]) => `${file}: only src/config.ts reads process.env`),
  ];
}

function breaks(rule: Rule, { from, to, kind }: Import): boolean {
  if (!rule.files.test(from) || rule.except?.test(from)) return false;
  if (rule.kind === "value" && kind === "type") return false;
  return rule.mayNot?.test(to) === true || rule.may?.test(to) === false;
}

function namingViolations(file: string): string[] {
  const parts = file.split("/");
  const name = parts.at(-1) ?? "";
  const kebab = FILE_NAME.test(name) && parts.slice(0, -1).every((folder) => FOLDER_NAME.test(folder));
  return [
    ...(kebab ? [] : [`${file}: names are kebab-case`]),
    ...(EMPTY_NAME.test(name) ? [`${file}: a file is named for its idea`] : []),
    ...(name === "index.ts" && !FACES.test(file) ? [`${file}: no barrels`] : []),
  ];
}

function describe({ from, to, kind }: Import): string {
  return kind === "value" ? `${from} → ${to}` : `${from} → ${to} (${kind})`;
}
