/** Labels on the command line: `key=value`. */
import { InvalidArgumentError } from 'commander'

/** Labels, in the order in which they were typed. */
export type Labels = readonly (readonly [key: string, value: string])[]

/**
 * Adds the label of a `key=value` to those before it. The first `=` ends the key.
 *
 * @throws InvalidArgumentError
 */
export function collectLabel(text: string, before: Labels = []): Labels {
  const split = text.indexOf('=')
  if (split < 1) throw new InvalidArgumentError('Expected key=value.')
  const key = text.slice(0, split)
  if (before.some(([other]) => other === key))
    throw new InvalidArgumentError(`The label ${key} is given twice.`)
  return [...before, [key, text.slice(split + 1)]]
}

/** Adds a key to those before it. @throws InvalidArgumentError */
export function collectKey(text: string, before: readonly string[] = []): readonly string[] {
  if (text === '') throw new InvalidArgumentError('Expected the key of a label.')
  return [...before, text]
}

/** An object that has each label as an own property, also one that is called `__proto__`. */
export function toLabels(labels: Labels): { [key: string]: string } {
  return Object.fromEntries(labels)
}
