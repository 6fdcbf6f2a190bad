/**
 * Makes JSON schemas whose TypeScript types are those of TypeBox. Loading TypeBox itself (373 modules) would
 * take a sixth of the CPU with which a connector starts, and the schemas of the API need only a few of its
 * functions.
 */
import type { Type as TypeBox } from 'typebox'

type Functions =
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'String'
  | 'Union'
  | 'Unsafe'

/** The schemas of properties that an object may lack. */
const optionals = new WeakSet<object>()

const functions = {
  Array: (items: object, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: (options?: object) => ({ type: 'boolean', ...options }),
  Enum: (values: readonly string[], options?: object) => ({ enum: values, ...options }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  Literal: (value: string | number | boolean, options?: object) => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Null: (options?: object) => ({ type: 'null', ...options }),
  Number: (options?: object) => ({ type: 'number', ...options }),
  Object: (properties: Readonly<Record<string, object>>, options?: object) => {
    const required = Object.keys(properties).filter((name) => !optionals.has(properties[name]!))
    return { type: 'object', ...(required.length === 0 ? {} : { required }), properties, ...options }
  },
  Optional: (schema: object) => {
    const optional = { ...schema }
    optionals.add(optional)
    return optional
  },
  String: (options?: object) => ({ type: 'string', ...options }),
  Union: (anyOf: readonly object[], options?: object) => ({ anyOf, ...options }),
  Unsafe: (schema: object) => ({ ...schema }),
} satisfies Record<Functions, (...args: never[]) => object>

/** What TypeBox calls `Type`, as far as the API uses it. */
export const Type = functions as unknown as Pick<typeof TypeBox, Functions>
