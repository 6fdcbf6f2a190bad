/**
 * Validators that are compiled at the first request that needs them. Compiling those of all routes, and
 * loading ajv, takes a sixth of the CPU that the start of a connector takes.
 */
import { createRequire } from 'node:module'
import type { FastifyServerOptions } from 'fastify'

type BuildValidator = NonNullable<
  NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>['buildValidator']
>

/** Finds what Fastify finds: the compiler that it uses by default. */
const requireOfFastify = createRequire(import.meta.resolve('fastify'))

/** Fastify's own compiler of validators, with the options of the server, at the first use of a validator. */
export const lazyValidators = ((externalSchemas: object, options: object) => {
  let compile: ((route: unknown) => Validator) | undefined
  return (route: unknown) => {
    let validate: Validator | undefined
    const lazy: Validator = (data) => {
      compile ??= requireOfFastify('@fastify/ajv-compiler')()(externalSchemas, options) as NonNullable<
        typeof compile
      >
      validate ??= compile(route)
      const isValid = validate(data)
      lazy.errors = validate.errors
      return isValid
    }
    return lazy
  }
}) as unknown as BuildValidator

type Validator = { (data: unknown): unknown; errors?: unknown }
