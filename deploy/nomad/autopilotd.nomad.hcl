# One daemon with its volume, by the docker driver: docs/nomad.md. The volume and the variables are made before.
job "autopilotd" {
  type = "service"

  # The daemon restarts the agent, so no restart of the group is for an agent: only for a lost node.
  reschedule {
    delay          = "30s"
    delay_function = "exponential"
    max_delay      = "1h"
    unlimited      = true
  }

  group "shop" {
    count = 1 # never more: the lock of the home refuses a second daemon

    network {
      port "metrics" {
        to = 7421
      }
    }

    # A host volume keeps the group on its node: settings, history, logs and the agent's login.
    volume "home" {
      type   = "host"
      source = "autopilotd-shop"
    }

    # A daemon that ends in place has a reason that a restart does not change; reschedule tries again, with growing delays.
    restart {
      attempts = 0
      mode     = "fail"
    }

    service {
      name     = "autopilotd"
      port     = "metrics"
      provider = "nomad"
      tags     = ["metrics"]

      # The daemon answers. No restart follows from it: a failed agent is no failed daemon.
      check {
        type     = "http"
        path     = "/healthz"
        interval = "30s"
        timeout  = "5s"
      }
    }

    task "autopilotd" {
      driver = "docker"

      # At least restart.stop_grace_ms (10 s) and 15 s more; the client's max_kill_timeout (30 s) limits it.
      kill_signal  = "SIGTERM"
      kill_timeout = "25s"

      config {
        # An image with your agent in it: docs/containers.md.
        image           = "registry.example.com/agents/claude:1"
        args            = ["--config", "/local/daemon.toml"]
        ports           = ["metrics"]
        cap_drop        = ["all"]
        readonly_rootfs = true

        mount {
          type   = "tmpfs"
          target = "/tmp"
        }
      }

      volume_mount {
        volume      = "home"
        destination = "/home/node"
      }

      template {
        destination = "local/daemon.toml"
        change_mode = "script"
        change_script {
          command = "/usr/local/bin/autopilotd"
          args    = ["reload"]
          timeout = "20s"
        }
        data = <<-EOF
          project = "shop"
          working_dir = "~"
          env_file = "/secrets/env"

          [worker_command]
          type = "Claude"
          prompt = "Clone https://example.com/shop.git into ~/shop if it is not there. Work through its TODO.md; commit and push."
          args = ["--dangerously-skip-permissions"] # the container is the limit

          [metrics]
          listen = "0.0.0.0:7421"
        EOF
      }

      # nomad var put nomad/jobs/autopilotd key=sk-ant-...
      template {
        destination = "secrets/env"
        perms       = "600"
        uid         = 1000
        gid         = 1000
        change_mode = "noop" # read before each start of the agent
        data        = <<-EOF
          ANTHROPIC_API_KEY={{ with nomadVar "nomad/jobs/autopilotd" }}{{ .key }}{{ end }}
        EOF
      }

      resources {
        cpu    = 1000
        memory = 8192 # the daemon takes it for the machine's memory
      }
    }
  }
}
