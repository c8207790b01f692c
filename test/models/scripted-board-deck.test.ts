import { describe, expect, it } from "vitest";
import { rejectedResult } from "../../src/harness/tool-result.ts";
import { checked, outcomes, type Overrides, result } from "./board-deck-outcomes.ts";
import { callsOf, commandsIn, converse, textOf } from "./scripted-conversation.ts";

const REQUEST = "Please clean this and make a workbook and a board deck.";

function start(overrides: Overrides = {}, task = REQUEST) {
  const conversation = converse(outcomes(overrides));
  conversation.say(task);
  return conversation;
}

/** Asks until the model has run a command that contains `part`. */
async function until(conversation: ReturnType<typeof start>, part: string): Promise<void> {
  while (!commandsIn(conversation.messages).some((command) => command.includes(part))) await conversation.ask();
}

const analyses = (conversation: ReturnType<typeof start>) =>
  commandsIn(conversation.messages).filter((command) => command.includes("analyse.py"));

describe("the board-deck script", () => {
  it("looks, profiles, cleans, analyses, builds, checks and looks again, in that order", async () => {
    const conversation = start();
    await conversation.finish();
    const programs = [
      "head -c",
      "profile_table.py",
      "clean_table.py",
      "analyse.py",
      "workbook.py",
      "storyline.py",
      "check.py",
    ];
    const commands = commandsIn(conversation.messages);
    expect(commands.map((command) => programs.find((program) => command.includes(program)))).toEqual(programs);
  });

  it("writes every program before the command that needs it", async () => {
    const conversation = start();
    const written = new Set<string>();
    let answer = await conversation.ask();
    while (answer.stopReason === "tool_use") {
      for (const { name, input } of callsOf(answer)) {
        if (name === "write") written.add(String(input["file_path"]).replace("/workspace/report/", ""));
        const used = name === "bash" ? (String(input["command"]).match(/\w+\.(py|cjs)\b/g) ?? []) : [];
        for (const program of used) expect(written).toContain(program);
      }
      answer = await conversation.ask();
    }
    expect(written.size).toBeGreaterThan(20);
  });

  it("chooses what to analyse from the profile", async () => {
    const conversation = start();
    await until(conversation, "analyse.py");
    expect(analyses(conversation)[0]).toContain("--measure='Net revenue' --time='Order date' --dimension='Region'");
  });

  it("prefers a column that the request names", async () => {
    const conversation = start({}, `${REQUEST} It is about the margin by channel.`);
    await until(conversation, "analyse.py");
    expect(analyses(conversation)[0]).toContain("--measure='Margin' --time='Order date' --dimension='Channel'");
  });

  it("ends with the findings, figures and cautions that the programs printed", async () => {
    const answer = await start().finish();
    for (const part of [
      "South lost €120k",
      "€4.2M",
      "8 sheets",
      "9 slides",
      "20 of 1,200 rows",
      "they contradict themselves",
    ]) {
      expect(answer).toContain(part);
    }
  });

  it("passes on what a program says is wrong with the file, without a second try", async () => {
    const conversation = start({
      "profile_table.py": () => ({ text: "PROBLEM: orders.csv is empty.", isError: true }),
    });
    expect(await conversation.finish()).toContain("orders.csv is empty.");
    expect(commandsIn(conversation.messages).filter((command) => command.includes("profile_table.py"))).toHaveLength(1);
  });

  it("takes a person's no for an answer", async () => {
    const { content } = rejectedResult("Not with these figures.");
    const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
    const conversation = start({ "clean_table.py": () => ({ text, isError: true }) });
    expect(await conversation.finish()).toContain("Not with these figures.");
    expect(commandsIn(conversation.messages).filter((command) => command.includes("clean_table.py"))).toHaveLength(1);
  });

  it("tries a failed command once more and goes on when that works", async () => {
    const failure = { text: "Killed", isError: true };
    const conversation = start({ "workbook.py --out": (attempt) => (attempt === 1 ? failure : "ok") });
    expect(await conversation.finish()).toContain("South lost €120k");
  });

  it("ends with the error when a command fails twice", async () => {
    const conversation = start({ "clean_table.py": () => ({ text: "Traceback: boom", isError: true }) });
    expect(await conversation.finish()).toContain("Traceback: boom");
  });

  it.each([
    ["no result line", "nothing here"],
    ["broken JSON", "RESULT {"],
    ["another shape", result({ rows: "many" })],
  ])("ends plainly when a program prints %s", async (_, output) => {
    expect(await start({ "profile_table.py": () => output }).finish()).toContain("I have to stop here");
  });

  it("draws the slides anew with more room when the check finds fault", async () => {
    const conversation = start({
      "check.py": (attempt) => checked(attempt === 1 ? ["slide 3: a word overflows"] : []),
    });
    const answer = await conversation.finish();
    expect(commandsIn(conversation.messages).filter((command) => command.includes("--tight"))).toHaveLength(1);
    expect(answer).not.toContain("find fault");
  });

  it("says so when the check still finds fault", async () => {
    const answer = await start({ "check.py": () => checked(["slide 3: a word overflows"]) }).finish();
    expect(answer).toContain("slide 3: a word overflows");
  });

  it("does the work again in a new sandbox when the old one was lost", async () => {
    const lost = { text: "The sandbox was lost while this call may have been running: …", isError: true };
    const conversation = start({ "analyse.py": (attempt) => (attempt === 1 ? lost : result(ANALYSIS_AGAIN)) });
    expect(await conversation.finish()).toContain("North leads");
    expect(commandsIn(conversation.messages).filter((command) => command.includes("profile_table.py"))).toHaveLength(2);
  });

  it("asks for a table when the uploads hold none", async () => {
    const conversation = converse(() => "no matches");
    conversation.say(REQUEST);
    expect(await conversation.finish()).toContain("no table");
  });

  it("does not take thanks for a new task", async () => {
    const conversation = start();
    await conversation.finish();
    conversation.say("thank you!");
    expect((await conversation.ask()).stopReason).toBe("end_turn");
  });

  it("builds again, with all wishes so far, when asked to after it has finished", async () => {
    const conversation = start({}, `${REQUEST} Focus on South.`);
    await conversation.finish();
    const before = conversation.messages.length;
    conversation.say("Again, but use blue.");
    await conversation.finish();
    const commands = commandsIn(conversation.messages.slice(before)).join("\n");
    expect(commands).toContain("--focus='Region=South'");
    expect(commands).toContain("--accent='blue'");
  });
});

describe("a message that comes in while the script runs", () => {
  it("is acknowledged in the next answer and only there", async () => {
    const conversation = start();
    await until(conversation, "clean_table.py");
    conversation.say("use blue please");
    expect(textOf(await conversation.ask())).toContain("Noted: blue as the colour.");
    expect(textOf(await conversation.ask())).not.toContain("Noted");
  });

  it("changes what is still to come", async () => {
    const conversation = start();
    await until(conversation, "clean_table.py");
    conversation.say('The title should be "Orders, first half"');
    await conversation.finish();
    expect(commandsIn(conversation.messages).find((command) => command.includes("storyline.py"))).toContain(
      "--title='Orders, first half'",
    );
  });

  it("has done again what it concerns, and all that follows from it", async () => {
    const conversation = start();
    await until(conversation, "workbook.py --out");
    conversation.say("also focus on region South");
    await conversation.finish();
    const commands = commandsIn(conversation.messages);
    expect(analyses(conversation).at(-1)).toContain("--focus='Region=South'");
    expect(commands.filter((command) => command.includes("workbook.py --out"))).toHaveLength(2);
    expect(commands.findLastIndex((command) => command.includes("workbook.py --out"))).toBeGreaterThan(
      commands.findLastIndex((command) => command.includes("analyse.py")),
    );
  });

  it.each(["stop after the workbook", "no deck needed", "just the spreadsheet, thanks"])(
    "leaves the deck out on “%s”",
    async (message) => {
      const conversation = start();
      await until(conversation, "profile_table.py");
      conversation.say(message);
      const answer = await conversation.finish();
      expect(commandsIn(conversation.messages).some((command) => command.includes("deck.cjs"))).toBe(false);
      expect(answer).toContain("no deck");
    },
  );

  it("cuts time as asked", async () => {
    const conversation = start();
    await until(conversation, "profile_table.py");
    conversation.say("add a sheet by quarter");
    await until(conversation, "analyse.py");
    expect(analyses(conversation)[0]).toContain("--grain='quarter'");
  });

  it("is answered plainly when the script does not understand it", async () => {
    const conversation = start();
    await until(conversation, "profile_table.py");
    conversation.say("what do you think of the weather?");
    expect(textOf(await conversation.ask())).toContain("a script only follows wishes for");
  });

  it("starts something new after the user stopped the work", async () => {
    const conversation = start();
    await until(conversation, "profile_table.py");
    conversation.say("[The user stopped the work here.]");
    conversation.say("run: date");
    expect(callsOf(await conversation.ask())).toMatchObject([{ name: "bash", input: { command: "date" } }]);
  });
});

const ANALYSIS_AGAIN = {
  measure: "Net revenue",
  total: "€4.2M",
  records: 1178,
  span: null,
  held: { rows: 0, text: "", why: "" },
  findings: [{ id: "ranking", headline: "North leads", text: "" }],
};
