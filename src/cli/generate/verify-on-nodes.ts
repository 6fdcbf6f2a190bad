/** Checks on each node directly whether it holds each thing of a ledger as it was made. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connect } from '../../rpc/transport.ts'
import type { Ledger } from './ledger.ts'
import { NumberSet } from './number-set.ts'
import { readNode, type Wanted } from './read-node.ts'

/** What was found on one node. */
export type NodeVerdict = Readonly<{
  address: string
  /** The numbers of the things that the node holds as they were made. */
  held: NumberSet
  /** Of those with an unknown outcome: the numbers of the things that the node holds, in any version. */
  heldUnknown: NumberSet
  /** Why the last attempt to read the node failed. `undefined`: the node answered. */
  problem: string | undefined
}>

export type VerifyOptions = Readonly<{
  addresses: readonly string[]
  /** `undefined`: the nodes may belong to any cluster. */
  clusterId: string | undefined
  ledger: Ledger
  /** The register of a thing. `undefined`: nobody knows it, so no node can hold it. */
  keyOf: (number: number) => string | undefined
  /** The state of a thing in the bytes of its register, as the ledger has it. */
  stateOf: (value: Uint8Array, number: number) => string
  connect: Connect
  /** For how long a node that lags or does not answer is asked again. */
  patienceMs: number
  signal: AbortSignal
  /** `held`: how many things were found so far, on all nodes together. */
  onProgress: (held: number) => void
}>

const PAUSE_MS = 200

/**
 * Asks all nodes at the same time. It never rejects: for a node that does not answer, nothing is held, and
 * `problem` says why.
 */
export function verifyOnNodes(options: VerifyOptions): Promise<NodeVerdict[]> {
  let held = 0
  const onHeld = () => {
    held += 1
    options.onProgress(held)
  }
  return Promise.all(options.addresses.map((address) => verifyOnNode(address, options, onHeld)))
}

async function verifyOnNode(
  address: string,
  options: VerifyOptions,
  onHeld: () => void,
): Promise<NodeVerdict> {
  const { ledger, stateOf, signal, patienceMs } = options
  const held = new NumberSet(ledger.size)
  const heldUnknown = new NumberSet(ledger.size)
  const transport = options.connect(address)
  let problem: string | undefined
  let untilMs: number | undefined
  try {
    while (true) {
      try {
        problem = undefined
        await readNode({
          transport,
          wanted: missingOf(options, held, heldUnknown),
          check: ({ membership }) => refuseMembership(membership?.clusterId, options.clusterId),
          onValue: (number, value) => {
            if (value === undefined) return
            const state = stateOf(value, number)
            if (ledger.isUnknown(number)) heldUnknown.add(number)
            else if (ledger.isMadeAs(number, state) && !held.has(number)) {
              held.add(number)
              onHeld()
            }
          },
        })
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
      // Things with an unknown outcome may not exist, so the node is not asked for them again.
      if (held.size === ledger.madeCount && problem === undefined) break
      // The first look at a million things takes longer than a node may lag.
      untilMs ??= performance.now() + patienceMs
      if (signal.aborted || performance.now() >= untilMs) break
      await sleep(PAUSE_MS)
    }
  } finally {
    transport.close()
  }
  return { address, held, heldUnknown, problem }
}

function* missingOf(
  { ledger, keyOf, signal }: VerifyOptions,
  held: NumberSet,
  heldUnknown: NumberSet,
): Generator<Wanted> {
  for (let number = 0; number < ledger.size && !signal.aborted; number += 1) {
    const isMissing = ledger.isMade(number)
      ? !held.has(number)
      : ledger.isUnknown(number) && !heldUnknown.has(number)
    const key = isMissing ? keyOf(number) : undefined
    if (key !== undefined) yield { number, key }
  }
}

function refuseMembership(found: string | undefined, expected: string | undefined): string | undefined {
  if (found === undefined) return 'it belongs to no cluster yet'
  if (expected !== undefined && found !== expected) return 'it belongs to another cluster'
  return undefined
}

/** Entry `n` of the result is how many things that `counts` says yes to are held by exactly `n` nodes. */
export function countByNodes(
  size: number,
  counts: (number: number) => boolean,
  holders: readonly Pick<NumberSet, 'has'>[],
): number[] {
  const result = new Array<number>(holders.length + 1).fill(0)
  for (let number = 0; number < size; number += 1) {
    if (!counts(number)) continue
    let nodes = 0
    for (const held of holders) if (held.has(number)) nodes += 1
    result[nodes]! += 1
  }
  return result
}
