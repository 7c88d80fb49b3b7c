"""How a machine is reached: this one, SSH, HTTP, DNS, ManageSieve, mail services; and where secrets come from."""
