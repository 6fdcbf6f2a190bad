import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type as TypeBox } from 'typebox'
import { Type } from './type.ts'

/** Schemas that use every function, with and without options. */
function schemasOf({
  Array: list,
  Boolean: boolean,
  Enum: oneOf,
  Integer: integer,
  Literal: literal,
  Null: nothing,
  Number: number,
  Object: object,
  Optional: optional,
  String: string,
  Union: union,
  Unsafe: unsafe,
}: typeof Type): object[] {
  const shared = string({ minLength: 1 })
  return [
    list(string()),
    list(integer(), { maxItems: 3, description: 'some' }),
    boolean(),
    boolean({ default: false }),
    oneOf(['a', 'b']),
    oneOf(['a'], { description: 'one' }),
    integer({ minimum: 1 }),
    literal('x'),
    literal(3),
    literal(true, { title: 'T' }),
    nothing(),
    number({ exclusiveMinimum: 0 }),
    object({}),
    object({ a: shared, b: optional(shared), c: optional(nothing()) }, { additionalProperties: false }),
    object({ a: optional(string()) }, { title: 'All optional' }),
    optional(string({ pattern: 'x' })),
    union([string(), nothing()]),
    union([object({ a: optional(number()), b: list(string()) })], { description: 'u' }),
    unsafe({ type: 'object', nullable: true }),
  ]
}

test('a schema has what TypeBox gives it, in the same order', () => {
  const [own, theirs] = [schemasOf(Type), schemasOf(TypeBox)]
  assert.deepEqual(
    own.map((schema) => JSON.stringify(schema)),
    theirs.map((schema) => JSON.stringify(schema)),
  )
})

test('a schema that is optional in one object is required in another', () => {
  const shared = Type.String()
  Type.Object({ a: Type.Optional(shared) })
  assert.deepEqual(Type.Object({ a: shared }).required, ['a'])
})
