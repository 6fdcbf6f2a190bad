/**
 * Waits of tests. Each has an upper bound. If it is exceeded, the error says what did not happen and shows
 * the last lines of the processes.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** A process whose last lines explain a failure. */
export type Witness = Readonly<{ name: string; output: string }>

const witnesses = new Set<Witness>()
const LAST_LINES = 12
const POLL_MS = 100

/** From now on, a wait that fails shows the last lines of this process. */
export function addWitness(witness: Witness): void {
  witnesses.add(witness)
}

export function removeWitness(witness: Witness): void {
  witnesses.delete(witness)
}

/** The last lines of every process of this test file that has not been removed. */
export function lastLines(): string {
  const parts = [...witnesses].map(({ name, output }) => {
    const lines = output.trimEnd().split('\n').slice(-LAST_LINES)
    return `--- the last lines of ${name}\n${lines.join('\n')}`
  })
  return parts.join('\n')
}

/**
 * The value of `promise`.
 *
 * @param explain what the error says in addition: for example, the value that was seen last
 * @throws when it has not settled after `ms` milliseconds: the claim, which has not come true
 */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  claim: string,
  explain: () => string = () => '',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(notWithin(ms, claim, explain())), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Asks `condition` again and again until it holds. @throws like `within`, also when `condition` itself takes
 * so long
 */
export async function until(
  claim: string,
  ms: number,
  condition: () => Promise<boolean> | boolean,
  explain: () => string = () => '',
): Promise<void> {
  const stopping = new AbortController()
  const asking = async () => {
    while (!stopping.signal.aborted && !(await condition())) await sleep(POLL_MS)
  }
  try {
    await within(ms, asking(), claim, explain)
  } finally {
    stopping.abort()
  }
}

function notWithin(ms: number, claim: string, explanation: string): Error {
  return new Error([`not within ${ms} ms: ${claim}`, explanation, lastLines()].filter(Boolean).join('\n'))
}
