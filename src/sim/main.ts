/**
 * `npm run sim`: looks for schedules that break a rule.
 *
 *     npm run sim -- --minutes 60                 new seeds on all cores
 *     npm run sim -- --world small --seed 7       one seed, told as a conversation
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Command, InvalidArgumentError, Option } from 'commander'
import { PROTOCOL } from './protocol.ts'
import { type Coverage, reportLarge, reportMembers, searchedOptions, type WorldSize } from './search.ts'
import { run } from './small/schedule.ts'
import { replay, report } from './small/shrink.ts'
import { Teller } from './small/teller.ts'

const SIZES: readonly WorldSize[] = ['small', 'large', 'members']

type Options = Readonly<{ world?: WorldSize; seed?: number; minutes: number }>

const options = new Command('npm run sim --')
  .description(
    'Runs the code that ships under faults drawn from seeds, and looks for a schedule that breaks a rule.',
  )
  .addOption(
    new Option('--world <size>', 'only this world (default: all, one after the other)').choices(SIZES),
  )
  .option('--seed <number>', 'one seed alone, told as a conversation', wholeNumber)
  .option('--minutes <number>', 'how long to look, on all cores', positiveNumber, 1)
  .allowExcessArguments(false)
  .parse()
  .opts<Options>()

const sizes = options.world === undefined ? SIZES : [options.world]

if (options.seed !== undefined) await tell(options.seed)
else await search(options.minutes * 60_000)

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be a whole number.')
  return number
}

function positiveNumber(text: string): number {
  const number = Number(text)
  if (!(number > 0 && number < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

async function tell(seed: number): Promise<void> {
  if (sizes.includes('large'))
    console.log(await reportLarge(seed, Number.POSITIVE_INFINITY, PROTOCOL, searchedOptions(seed)))
  if (sizes.includes('members')) console.log(await reportMembers(seed))
  if (!sizes.includes('small')) return
  const result = run(seed, PROTOCOL)
  if (result.failure !== undefined) {
    console.log(report(seed, result))
    return
  }
  const teller = new Teller()
  replay(result.options, result.actions, teller)
  console.log(teller.lines.join('\n'))
}

/**
 * Each core runs its own seeds. The cores take turns with the sizes of the world; a machine with one core
 * runs one size after the other.
 */
async function search(totalMs: number): Promise<void> {
  const startedAtMs = Date.now()
  // Far from the seeds that the tests run, and different each time.
  const firstSeed = randomInt(2 ** 32, 2 ** 47)
  const threads = availableParallelism()
  console.log(`${threads} threads, seeds from ${firstSeed}`)
  const total = { small: aCoverage(), large: aCoverage(), members: aCoverage() }
  for (const [turn, size] of sizes.entries()) {
    const untilMs = startedAtMs + (totalMs * (turn + 1)) / sizes.length
    const started = Array.from({ length: threads }, (_, index) =>
      aThread({ size, firstSeed: firstSeed + index, step: threads, untilMs }, total[size]),
    )
    await Promise.all(started)
    const { runs, messages, failures } = total[size]
    console.log(`${size}: ${runs} runs, ${messages} messages, ${failures.length} failures`)
  }
  if (Object.values(total).some(({ failures }) => failures.length > 0)) process.exitCode = 1
}

function aCoverage(): Coverage {
  return { runs: 0, messages: 0, failures: [] }
}

function aThread(
  workerData: Readonly<{ size: WorldSize; firstSeed: number; step: number; untilMs: number }>,
  total: Coverage,
): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData })
  worker.on('message', ({ runs, messages, failures }: Coverage) => {
    total.runs += runs
    total.messages += messages
    total.failures.push(...failures)
    for (const failure of failures) console.log(failure.report)
  })
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
}
