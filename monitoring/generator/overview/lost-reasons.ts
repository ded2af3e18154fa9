/**
 * The ends of sessions that neither their client wanted nor a limit on clients meant, as in the rule SluiceClientsLost:
 * PromQL's regular expression.
 */
export const lostReasons =
  'backend-reset|listener-full|no-backend|pool-full|queue-full|queue-timeout|connect-.*|overloaded';
