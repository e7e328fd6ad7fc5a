/**
 * The door `millrace/machines`: the charts of the control plane, typed as plain machines. For pictures, walks and tests.
 *
 * @module millrace/machines
 */
import type { AnyStateMachine } from 'xstate'
import { charts as all } from '#machines/index'

/** By name. Each is pure: it has no clock, no I/O and starts nothing. */
export const charts: Readonly<Record<string, AnyStateMachine>> = all
