import { Command, CommanderError } from 'commander'
import { z } from 'zod'
import { parseEnvironment, secretsAmong } from '../compose/parse-environment.ts'
import { UsageError } from '../core/invariant.ts'
import { VERSION } from '../core/version.ts'
import { makeWritable } from '../store/make-writable.ts'
import { FUNDING_UNIT_HELP } from '../market/candle-file/funding-unit.ts'
import { installProxies, removeProxies } from '../net/proxy.ts'
import { createRedactor } from '../telemetry/redact.ts'
import type { Answer } from './commands/answer.ts'
import type { Io } from './io.ts'
import { CommonOptions, givenConfig, parseOptions, resolveConfig } from './options.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { WalkOptions } from './commands/walk-options.ts'
import { answerEach } from './answer-each.ts'
import { NothingFound, type Reach } from './choose-stored.ts'
import { choose, type Needs, openOwn, withContext } from './context.ts'
import type { Session } from './session.ts'

/**
 * Runs one command line. Answers with the exit code: 0 done (a hold is a success), 1 failed, 2 bad usage or
 * configuration. Results go to stdout, everything else to stderr; nothing is thrown.
 */
export async function runCli(argv: readonly string[], given: Io): Promise<0 | 1 | 2> {
  const io = withoutSecrets(given)
  let exitCode: 0 | 1 | 2 = 0
  const finish = (answer: Answer, isJson: boolean) => {
    io.stdout(isJson ? `${JSON.stringify(answer.document, null, 2)}\n` : withoutControls(answer.text))
    exitCode = answer.exitCode
  }
  const program = createProgram(io, finish)
  try {
    await installProxies(io.env)
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const isUsage = error instanceof UsageError
    const isPlain = isUsage || error instanceof NothingFound
    const name = error instanceof Error && !isPlain ? `${error.name}: ` : ''
    io.stderr(`error: ${withoutControls(`${name}${error instanceof Error ? error.message : String(error)}`)}\n`)
    return isUsage ? 2 : 1
  } finally {
    removeProxies()
  }
}

const ALL: Needs = { market: true, venue: true }
const NOTHING: Needs = { market: false, venue: false }
/** The same, and no credential of the environment in anything that is said. */
function withoutSecrets(io: Io): Io {
  const secrets = secretsAmong(io.env)
  let redact = createRedactor(secrets)
  return {
    ...io,
    stdout: (text) => io.stdout(redact(text)),
    stderr: (text) => io.stderr(redact(text)),
    keepOut(more) {
      secrets.push(...more)
      redact = createRedactor(secrets)
    },
  }
}

function createProgram(io: Io, finish: (answer: Answer, isJson: boolean) => void): Command {
  const program = new Command('hourhand')
    .description('A scheduled perpetual-futures trader: one decision at a time, every limit in code.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError('(see --help)')

  /** A command that runs a strategy, or examines a configuration: it may make the database. */
  const run = async (raw: unknown, needs: Needs, work: (session: Session) => Promise<Answer>): Promise<void> => {
    const options = parseOptions(CommonOptions, raw)
    finish(
      await withContext(options, io, !options.dryRun, async (context) => work(await openOwn(context, needs))),
      options.json,
    )
  }

  /** A command that acts on what is stored, and makes nothing. */
  const act = async (
    raw: unknown,
    { reach, ...needs }: Needs & { reach: Reach },
    work: (session: Session) => Promise<Answer>,
  ): Promise<void> => {
    const options = parseOptions(CommonOptions, raw)
    const answer = await withContext(options, io, false, async (context) =>
      answerEach(context, choose(context, reach), needs, work),
    )
    finish(answer, options.json)
  }

  /**
   * A command that shows what is stored or, where nothing of it is, examines the configuration it is given. Only what
   * is verified for live trading has to be kept somewhere (`keeps`).
   */
  const examine = async (
    raw: unknown,
    { keeps, ...needs }: Needs & { keeps: boolean },
    work: (session: Session) => Promise<Answer>,
  ): Promise<void> => {
    const options = parseOptions(CommonOptions, raw)
    const given = await givenConfig(options, parseEnvironment(io.env))
    const answer = await withContext(options, io, keeps && given?.mode === 'live', async (context) =>
      context.inventory.found.length === 0 || given !== null
        ? work(await openOwn(context, needs))
        : answerEach(context, choose(context, 'every'), needs, work),
    )
    finish(answer, options.json)
  }

  common(program.command('cycle').description('run one decision cycle'))
    .option('--dry-run', 'do everything but write state and place orders')
    .option('--feeds', 'with --dry-run: read news.feeds although the market is simulated or recorded')
    .action((raw) => run(raw, ALL, async (session) => (await import('./commands/cycle.ts')).cycleCommand(session)))

  several(
    program.command('enforce').description('run one enforcement pass: reconcile, protect, close what must be closed'),
  )
    .option('--dry-run', 'only say what would be done')
    .action(async (raw) => {
      const options = parseOptions(CommonOptions, raw)
      const { enforceCommand } = await import('./commands/enforce.ts')
      const isGiven = (await givenConfig(options, parseEnvironment(io.env))) !== null
      // With a configuration of its own it is a run, and may be the first.
      const answer = await withContext(options, io, isGiven && !options.dryRun, async (context) =>
        isGiven && context.inventory.found.length === 0
          ? enforceCommand(await openOwn(context, ALL))
          : answerEach(context, choose(context, 'one'), ALL, enforceCommand),
      )
      finish(answer, options.json)
    })

  common(program.command('status').description('what it holds: ledger beside venue')).action((raw) =>
    act(raw, { ...ALL, reach: 'every' }, async (session) =>
      (await import('./commands/status.ts')).statusCommand(session),
    ),
  )

  common(program.command('trades').description('every closed trade'))
    .option('--csv', 'as comma-separated values; of one strategy')
    .action((raw) => {
      const own = parseOptions(z.object({ csv: z.boolean().default(false) }), raw)
      return act(raw, { ...NOTHING, reach: own.csv ? 'one' : 'every' }, async (session) =>
        (await import('./commands/trades.ts')).tradesCommand(session, own),
      )
    })

  common(
    program
      .command('explain')
      .description('the story of one cycle, and whether its record still reproduces it')
      .argument('<CYCLE_ID>', 'as printed by `hourhand cycle`'),
  ).action(async (cycleId: string, raw) => {
    const options = parseOptions(CommonOptions, raw)
    const { explainStored } = await import('./commands/explain.ts')
    finish(await withContext(options, io, false, (context) => explainStored(context, cycleId)), options.json)
  })

  several(program.command('halt').description('the kill switch: no entries until resumed, exits go on'))
    .option('--flatten', 'then close what is held at market; exit 1 when it is not flat after that')
    .option('--reason <text>', 'why, for the record', 'halted by hand')
    .action(async (raw) => {
      const options = parseOptions(CommonOptions, raw)
      const { haltCommand, HaltOptions } = await import('./commands/halt.ts')
      const own = parseOptions(HaltOptions, raw)
      finish(await withContext(options, io, false, (context) => haltCommand(context, own)), options.json)
    })

  several(program.command('resume').description('lift a halt and settle incidents')).action((raw) =>
    act(raw, { ...NOTHING, reach: 'one' }, async (session) =>
      (await import('./commands/resume.ts')).resumeCommand(session),
    ),
  )

  several(
    program.command('reconcile').description('take in what the venue says and put right what is wrong there, now'),
  )
    .option('--dry-run', 'only say what would be done')
    .action((raw) =>
      act(raw, { ...ALL, reach: 'one' }, async (session) =>
        (await import('./commands/reconcile.ts')).reconcileCommand(session),
      ),
    )

  several(
    program
      .command('account')
      .description('money that a person paid in or took out is no profit and no loss')
      .command('moved')
      .description('books a deposit, or a withdrawal with a minus; the strategy and its halt are left alone')
      .argument('<AMOUNT>', 'in the quote currency, such as 500 or -500'),
  )
    .option('--reason <TEXT>', 'kept with it')
    .action((amount: string, raw) =>
      act(raw, { ...ALL, reach: 'one' }, async (session) => {
        const { accountMovedCommand, AccountMovedOptions } = await import('./commands/account.ts')
        return accountMovedCommand(session, parseOptions(AccountMovedOptions, { ...raw, amount }))
      }),
    )

  common(
    program
      .command('live')
      .description('every gate before real money: verified credentials and a paper record; exit 1 while one is shut'),
  )
    .option('--override <REASON>', 'waive the gate that --gate names; recorded and alarmed')
    .option('--gate <NAME>', 'paper_trades, record_sharpe, record_drawdown or record_trades')
    .option('--replay <DIR>', 'take the figures of a stored replay of these settings beside those of the paper record')
    .option('--by <NAME>', 'who says so', 'operator')
    .action((raw) =>
      examine(raw, { market: false, venue: true, keeps: false }, async (session) => {
        const { liveCommand, LiveOptions } = await import('./commands/live.ts')
        return liveCommand(session, parseOptions(LiveOptions, raw))
      }),
    )

  common(
    program
      .command('doctor')
      .description(
        'check configuration, keys, database, market and venue, without trading; in live mode, verify the credentials',
      ),
  ).action((raw) =>
    examine(raw, { ...ALL, keeps: true }, async (session) =>
      (await import('./commands/doctor.ts')).doctorCommand(session),
    ),
  )

  strategyOptions(program.command('guard').description('the guard rules'))
    .option('--explain', 'list every rule, its limit and where it is enforced')
    .option('--prove', 'put one case for every rule before the guard; exit 1 when one does not refuse it')
    .option('--if <EQUITY>', 'whether an account would halt: equity=8400, also with peak=10000 and day-start=9000')
    .option('--json', 'one JSON document on stdout')
    .action(async (raw) => {
      const options = parseOptions(CommonOptions, raw)
      const { guardCommand, GuardOptions } = await import('./commands/guard.ts')
      const own = parseOptions(GuardOptions, raw)
      finish(guardCommand(await resolveConfig(options, parseEnvironment(io.env)), own), options.json)
    })

  walkOptions(
    program.command('replay').description('drive history through the code that trades, and judge what comes of it'),
  )
    .option('--out <DIR>', 'keep everything there; a run that was broken off goes on from where it was')
    .option('--force', 'overwrite the results of another replay in --out')
    .option('--random <N>', 'seeds of the random baseline (default 20; 0 leaves it out)')
    .action(async (raw) => {
      const { ReplayOptions, replayCommand } = await import('./commands/replay.ts')
      const { own, config, environment, isJson } = await readWalk(ReplayOptions, raw)
      finish(await replayCommand(config, own, environment, io), isJson)
    })

  common(
    program.command('report').description('a result as one HTML page with every trade and its story, and as tables'),
  )
    .requiredOption('--out <DIR>', 'the result directory of a replay; the report is written beside it')
    .option('--force', 'overwrite files of the same names that are of something else')
    .option('--database', 'instead of a replay: what the strategy has really done, from its database')
    .action(async (raw) => {
      const { ReportOptions, reportCommand, recordReportCommand } = await import('./commands/report.ts')
      const own = parseOptions(ReportOptions, raw)
      if (own.database) return act(raw, { ...ALL, reach: 'one' }, (session) => recordReportCommand(session, own))
      finish(reportCommand(own), parseOptions(CommonOptions, raw).json)
    })

  walkOptions(program.command('sweep').description('replay every combination of a grid of settings, on all cores'))
    .requiredOption('--grid <FILE>', 'JSON of settings and the values to try: {"decider.stopAtr": [1.5, 2, 3]}')
    .action(async (raw) => {
      const { SweepOptions, sweepCommand } = await import('./commands/sweep.ts')
      const { own, config, isJson } = await readWalk(SweepOptions, raw)
      finish(await sweepCommand(config, own, io), isJson)
    })

  historyOptions(
    program.command('compare').description('several deciders, models or prompts over the same slots, side by side'),
  )
    .option('--strategy <ID>', 'named strategy (eth-perp, btc-perp)')
    .option('--config <FILE...>', 'a configuration for each contestant')
    .option('--decider <NAME...>', 'contestants by decider: rules, openai, anthropic, recorded')
    .option('--samples <K>', 'ask each model K times, and say how far it agrees with itself')
    .option('--data-dir <DIR>', 'recordings and artifacts (default .hourhand)')
    .action(async (raw) => {
      const { CompareOptions, compareCommand } = await import('./commands/compare.ts')
      const options = parseOptions(CompareOptions, raw)
      makeWritable(options.dataDir, '--data-dir')
      finish(await compareCommand(options, parseEnvironment(io.env), io), options.json)
    })

  walkOptions(
    program
      .command('audit')
      .description('the same history under other dates, names, prices and headlines: does the decider remember?'),
  ).action(async (raw) => {
    const [{ auditCommand }, { WalkOptions: schema }] = await Promise.all([
      import('./commands/audit.ts'),
      import('./commands/walk-options.ts'),
    ])
    const { own, config, environment, isJson } = await readWalk(schema, raw)
    finish(await auditCommand(config, own, environment, io), isJson)
  })

  program
    .command('trials')
    .description('every replay made so far, which the deflated Sharpe ratio counts')
    .option('--data-dir <DIR>', 'where the ledger of trials lies (default .hourhand)')
    .option('--json', 'one JSON document on stdout')
    .action(async (raw) => {
      const options = parseOptions(CommonOptions, raw)
      const { trialsCommand } = await import('./commands/trials.ts')
      finish(trialsCommand(options), options.json)
    })

  common(
    program.command('evidence').description('what the stored trades say about how much to risk: a setting for sizing'),
  ).action((raw) =>
    act(raw, { ...NOTHING, reach: 'one' }, async (session) =>
      (await import('./commands/evidence.ts')).evidenceCommand(session),
    ),
  )

  /** Options of a walk through history, checked, with the configuration they lead to. */
  async function readWalk<T extends WalkOptions>(
    schema: z.ZodType<T>,
    raw: unknown,
  ): Promise<{ own: T; config: StrategyConfig; environment: Environment; isJson: boolean }> {
    const own = parseOptions(schema, raw)
    const options = parseOptions(CommonOptions, raw)
    const environment = parseEnvironment(io.env)
    makeWritable(options.dataDir, '--data-dir')
    const { funding, reference, news } = own
    return {
      own,
      config: await resolveConfig(
        { ...options, market: own.candles, files: { ...own, funding, reference, news } },
        environment,
      ),
      environment,
      isJson: options.json,
    }
  }

  return program
}

/** Options of every command. Those that need no database take `--data-dir` and leave it alone. */
function strategyOptions(command: Command): Command {
  return command
    .option('--strategy <ID>', 'named strategy (eth-perp, btc-perp)')
    .option('--config <FILE>', 'JSON strategy configuration, merged over the named strategy; unknown keys are fatal')
    .option('--decider <NAME>', 'rules, openai, anthropic or recorded')
    .option('--interval <DURATION>', 'time between decisions, from 10s to 1d: 15s, 30m, 1h (default 30m)')
    .option('--seed <N>', 'seed of the simulated market')
    .option('--data-dir <DIR>', 'embedded database and artifacts (default .hourhand)')
}

/** Options of every command that walks through history. */
const walkOptions = (command: Command): Command => historyOptions(strategyOptions(command))

/** What history is walked through, and what a model may cost on the way. */
function historyOptions(command: Command): Command {
  return fileOptions(command)
    .requiredOption(
      '--candles <FILE...>',
      'candle files or a folder of them: CSV or JSON in most forms, also gzip and zip',
    )
    .option('--funding <FILE>', 'settled funding: timestamp,funding_rate')
    .option('--reference <FILE>', 'candles of the market it is compared with')
    .option('--news <FILE>', 'headlines: JSON Lines of {title, source, published_at}')
    .option('--from <ISO>', 'first slot, ISO 8601 UTC')
    .option('--to <ISO>', 'end, exclusive')
    .option('--record', "keep a model's answers, so that each is asked for once")
    .option('--recordings <FILE>', 'where they are kept (default DATA-DIR/recordings/PROVIDER.jsonl)')
    .option('--budget <USD>', 'stop before more than this is spent on a model (default 5 where decider.price is set)')
    .option('--budget-tokens <N>', 'the same in tokens (default 2000000 where it is not)')
    .option('--budget-questions <N>', 'the same in questions')
    .option('--workers <N>', 'threads for runs beside the main one (default: all cores)')
    .option('--json', 'one JSON document on stdout')
}

/** How files are read where they leave it open. */
function fileOptions(command: Command): Command {
  return command
    .option('--instrument <NAME>', "what is traded: its id (VENUE:SYMBOL) or the venue's own symbol")
    .option('--symbol <NAME>', 'whose rows, where candle files hold several symbols')
    .option('--reference-file-symbol <NAME>', 'the same for the reference file')
    .option('--time-zone <ZONE>', 'zone of times in files that name none, such as America/New_York (default UTC)')
    .option('--date-order <ORDER>', 'day-first or month-first, where dates in files leave it open')
    .option('--funding-unit <UNIT>', `what rates in the funding file count: ${FUNDING_UNIT_HELP}`)
}

/** Options of every command that opens the database. */
function common(command: Command): Command {
  return fileOptions(strategyOptions(command))
    .option('--market <SOURCE>', 'live, sim, or a candle FILE')
    .option('--at <ISO>', 'act as of this instant (simulated and recorded markets, and test venues on this machine)')
    .option('--table <NAME>', "a deployment's DynamoDB table instead of the embedded database")
    .option('--mode <MODE>', 'paper or live, where a strategy has run in both')
    .option('--json', 'one JSON document on stdout; logs go to stderr')
    .option('--verbose', 'log every step')
}

/** Options of a command that asks for names where several strategies could be meant. */
const several = (command: Command): Command =>
  common(command).option('--all', 'act on every strategy that is found, or that the other options name')

/**
 * Models, venues and feeds have their words in these texts: what would move a cursor, recolour a screen or turn
 * the direction of reading is left out.
 */
const withoutControls = (text: string): string =>
  text.replace(/(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
