/** The MCP servers' dashboard, as a part of the panel that is loaded when it is first opened. */
export { FormCard } from './views/servers/FormCard';
export { Registry } from './views/servers/Registry';
export { ServerPage } from './views/servers/ServerPage';
export { Servers } from './views/servers/Servers';
