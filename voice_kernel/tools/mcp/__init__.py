"""MCP servers by voice: found in a registry, installed with consent, supervised, their tools usable."""

from voice_kernel.tools.mcp.bridge import Bridge
from voice_kernel.tools.mcp.catalog import Catalog
from voice_kernel.tools.mcp.commands import register
from voice_kernel.tools.mcp.secrets import Secrets
from voice_kernel.tools.mcp.serverfile import ServerFile
from voice_kernel.tools.mcp.supervisor import Supervisor

__all__ = ["Bridge", "Catalog", "Secrets", "ServerFile", "Supervisor", "register"]
