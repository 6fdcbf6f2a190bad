import type { Action } from './action.ts'
import type { Run } from './schedule.ts'
import { Teller } from './teller.ts'
import { World, type WorldOptions } from './world.ts'

/** Repeats a schedule, step by step. Returns the failure, if there was one. */
export function replay(
  options: WorldOptions,
  actions: readonly Action[],
  teller?: Teller,
): Error | undefined {
  const world = new World(options, teller)
  try {
    for (const action of actions) world.perform(action)
    world.finish()
    return undefined
  } catch (error) {
    return error as Error
  }
}

/**
 * Leaves out all steps that the failure does not need: larger pieces first, then smaller ones (delta
 * debugging), until no single step can go. A run that does not end is returned as it is, because a part of a
 * schedule never ends.
 */
export function shrink({ options, actions, failure }: Run): readonly Action[] {
  let shortest = actions
  if (replay(options, shortest) === undefined) return actions
  for (let size = Math.ceil(shortest.length / 2); ; ) {
    let hasShrunk = false
    for (let start = 0; start < shortest.length; ) {
      const shorter = shortest.toSpliced(start, size)
      if (nameOf(replay(options, shorter)) === nameOf(failure)) {
        shortest = shorter
        hasShrunk = true
      } else start += size
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!hasShrunk) return shortest
  }
}

/**
 * A failed run as text: its seed and options, the failure, and the shortest sequence of steps that shows it.
 */
export function report(seed: number, run: Run): string {
  const { nodeCount, connectorCount, commands } = run.options
  const actions = shrink(run)
  const teller = new Teller()
  const failure = replay(run.options, actions, teller) ?? run.failure
  return [
    `seed ${seed}: ${nodeCount} nodes, ${connectorCount} connectors, ${commands.length} operations`,
    `${actions.length} of ${run.actions.length} steps show it:`,
    '',
    ...teller.lines,
    '',
    failure?.message ?? '',
  ].join('\n')
}

/** The rule that was broken; for an assertion of the core, the text of the assertion. */
export function nameOf(failure: Error | undefined): string | undefined {
  if (failure === undefined) return undefined
  return 'rule' in failure ? String(failure.rule) : failure.message
}
