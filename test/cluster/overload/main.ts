/**
 * Floods a connector in five ways, and looks at what a polite client sees meanwhile, at the memory of the
 * connector, and at its speed afterwards: `npm run overload`.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { read } from '../load.ts'
import { LocalCluster } from '../local-cluster.ts'
import type { FloodOptions, FloodResult } from './flood.ts'
import { PoliteClient, type PoliteResult } from './polite-client.ts'

const FLOOD = fileURLToPath(new URL('flood.ts', import.meta.url))
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024
const MIB = 1_024 * 1_024

/** One flood, and what was seen of it. */
export type Siege = Readonly<{
  name: string
  flood: Omit<FloodResult, 'created' | 'refused'>
  /** Clients that send little: one with the address of the flood, and one with another address. */
  polite: Readonly<{ sameAddress: PoliteResult; otherAddress: PoliteResult }>
  /** The memory of the connector before the flood and at its peak, in MiB. */
  memory: Readonly<{ before: number; peak: number }>
  /** Ids that were answered 201 and cannot be read, and ids that were refused and can. */
  contradictions: readonly string[]
  /** The lines of the log at level 40 about refusals. */
  warnings: number
}>

export type Overload = Readonly<{
  /** Creates in a second with 64 clients, before the floods. */
  sustainable: number
  sieges: readonly Siege[]
  /** The same, two seconds after the end of each of the first two floods. */
  afterwards: readonly number[]
}>

export type OverloadOptions = Readonly<{ seconds: number; onStep: (step: string) => void }>

/** Floods a connector of a cluster of its own. */
export async function tryOverload({ seconds, onStep }: OverloadOptions): Promise<Overload> {
  await using cluster = await LocalCluster.start()
  const { port, url, pid } = cluster.connectors[0]!
  const measure = async (prefix: string) => {
    const { answers, seconds: took } = await runFlood(port, { ...STEADY, prefix })
    return Math.round((answers[201] ?? 0) / took)
  }
  await measure('warm')
  const sustainable = await measure('before')
  onStep(`sustainable: ${sustainable} creates/s`)

  const besiege = async (name: string, options: FloodOptions): Promise<Siege> => {
    const before = memoryOf(pid!)
    let peak = before
    const watch = setInterval(() => {
      peak = Math.max(peak, memoryOf(pid!))
    }, 100)
    const logBefore = cluster.connectors[0]!.output.length
    const polite = ['127.0.0.1', '127.0.0.2'].map(
      (localAddress) =>
        new PoliteClient({ port, prefix: `${options.prefix}-polite-${localAddress}`, localAddress }),
    )
    const { created, refused, ...result } = await runFlood(port, options)
    const [sameAddress, otherAddress] = await Promise.all(polite.map((client) => client.stop()))
    clearInterval(watch)
    const contradictions = options.kind === 'create' ? await contradictionsOf(url, created, refused) : []
    const lines = cluster.connectors[0]!.output.slice(logBefore)
    const siege = {
      name,
      flood: result,
      polite: { sameAddress: sameAddress!, otherAddress: otherAddress! },
      memory: { before, peak },
      contradictions,
      warnings: lines.split('\n').filter((line) => line.includes('requests are refused')).length,
    }
    onStep(JSON.stringify(siege))
    return siege
  }

  const sieges = [
    await besiege('2,000 connections at ten times the sustainable load', {
      kind: 'create',
      prefix: 'ten',
      connections: 2_000,
      perSecond: 10 * sustainable,
      pipelined: 1,
      seconds,
      requests: null,
    }),
  ]
  const afterwards: number[] = []
  const measureAfterwards = async () => {
    await sleep(2_000)
    afterwards.push(await measure(`after${afterwards.length}`))
    onStep(`afterwards: ${afterwards.at(-1)} creates/s`)
  }
  await measureAfterwards()
  sieges.push(
    await besiege('2,000 connections that each send 64 creates ahead', {
      kind: 'create',
      prefix: 'ahead',
      connections: 2_000,
      perSecond: 10 * sustainable,
      pipelined: 64,
      seconds,
      requests: null,
    }),
  )
  await measureAfterwards()
  sieges.push(
    await besiege('6,000 connections of creates', {
      kind: 'create',
      prefix: 'many',
      connections: 6_000,
      perSecond: null,
      pipelined: 1,
      seconds: seconds / 3,
      requests: null,
    }),
    await besiege('50 restores of 0.85 MB at once', {
      kind: 'restore',
      prefix: 'bulk',
      connections: 50,
      perSecond: null,
      pipelined: 1,
      seconds: 60,
      requests: 50,
    }),
    await besiege('one connection that pipelines 10,000 lists', {
      kind: 'list',
      prefix: 'lists',
      connections: 1,
      perSecond: null,
      pipelined: 10_000,
      seconds: 60,
      requests: 10_000,
    }),
  )
  return { sustainable, sieges, afterwards }
}

const STEADY: Omit<FloodOptions, 'prefix'> = {
  kind: 'create',
  connections: 64,
  perSecond: null,
  pipelined: 1,
  seconds: 4,
  requests: null,
}

async function runFlood(port: number, options: FloodOptions): Promise<FloodResult> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [FLOOD, String(port), JSON.stringify(options)],
    { maxBuffer: OUTPUT_BYTES_MAX },
  )
  return JSON.parse(stdout)
}

/** How many ids of each answer are read. */
const READ_MAX = 500

async function contradictionsOf(
  url: string,
  created: readonly string[],
  refused: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = []
  for (const [ids, expected] of [
    [created, 200],
    [refused, 404],
  ] as const) {
    for (const id of spread(ids)) {
      const { status } = await read(url, id)
      if (status !== expected) found.push(`${id}: ${status}, and not ${expected}`)
    }
  }
  return found
}

function spread(ids: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.floor(ids.length / READ_MAX))
  return ids.filter((_, index) => index % step === 0)
}

/** The memory that a process uses, in MiB. */
function memoryOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round((Number(kib) * 1_024) / MIB)
}

if (import.meta.main) {
  const seconds = Number(process.argv[2] ?? 30)
  const { sustainable, afterwards } = await tryOverload({ seconds, onStep: (step) => console.log(step) })
  console.log(JSON.stringify({ sustainable, afterwards }))
}
